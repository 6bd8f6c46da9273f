import { type Html, html } from './html.js';

/**
 * A contact address of an application. Only addresses that a browser opens without running code become links; all others stay text.
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
