import { html } from './html.js';
import { page } from './layout.js';

/** @param code of this authority, or of an OAuth specification @param description what the specification lets the client know */
export function renderErrorPage(code: string, description?: string): string {
  return page(
    'This did not work',
    html`<h1>This did not work</h1>
      <p class="alert">${description ?? 'The request could not be completed.'}</p>
      <p>Go back to the application and start again from there.</p>
      <p class="quiet">${code}</p>`,
  );
}
