import { type Html, html } from './html.js';

/**
 * An address where an application's people can be asked. Only what a browser opens without running anything becomes a
 * link; anything else stays text.
 */
export function contactOf(address: string): Html {
  const url = URL.parse(address);
  if (url?.protocol === 'mailto:') return link(address, address.slice('mailto:'.length));
  if (url?.protocol === 'https:') return link(address, address);
  return html`${address}`;
}

function link(address: string, words: string): Html {
  return html`<a href="${address}" rel="noreferrer">${words}</a>`;
}
