import { type Html, html } from './html.js';

/** A whole page. @param head what the page does by itself */
export function page(title: string, body: Html, head?: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
        ${head}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.text;
}
