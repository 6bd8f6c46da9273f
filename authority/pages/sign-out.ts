import { html } from './html.js';
import { page } from './layout.js';

export function renderSignOut(action: string): string {
  return page(
    'Sign out',
    html`<h1>Sign out</h1>
      <p>Applications that you opened from this browser lose access at once. What you agreed to stays.</p>
      <form method="post" action="${action}">
        <div class="actions"><button class="main" name="do" value="sign-out">Sign out</button></div>
      </form>`,
  );
}

export function renderSignedOut(): string {
  return page(
    'Signed out',
    html`<h1>Signed out</h1>
      <p>Nobody is signed in with this browser.</p>`,
  );
}
