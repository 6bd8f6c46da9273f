import { html } from './html.js';
import { page } from './layout.js';

/** @see renderOtherPerson */
export interface OtherPersonView {
  readonly action: string;
  /** The person who just signed in. The other person is not named, because nothing about them is this person's business. */
  readonly personName: string;
}

export function renderOtherPerson({ action, personName }: OtherPersonView): string {
  return page(
    'Another person is signed in',
    html`<h1>Another person is signed in</h1>
      <p>
        You signed in as ${personName}, but another person is still signed in with this browser. If you go on,
        they are signed out here, and applications that they opened from this browser lose access. What they
        agreed to stays.
      </p>
      <form method="post" action="${action}">
        <div class="actions">
          <button class="main" name="do" value="continue">Continue as ${personName}</button>
          <button name="do" value="cancel">Cancel</button>
        </div>
      </form>`,
  );
}
