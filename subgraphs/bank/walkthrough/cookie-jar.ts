interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** The cookies of one site, as a browser keeps them (RFC 6265), as far as one host needs it. */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Takes the cookies that a response sets. */
  take(response: Response, url: URL): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      if (at < 1) continue;
      const read = (name: string): string | undefined =>
        attributes
          .find((attribute) => attribute.toLowerCase().startsWith(`${name}=`))
          ?.slice(name.length + 1);
      const path = read('path') ?? url.pathname.replace(/\/[^/]*$/, '/');
      const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), path };
      const key = `${cookie.name} ${path}`;
      const expires = read('expires');
      if (expires !== undefined && Date.parse(expires) <= Date.now()) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  /** The Cookie header for the address; empty when there is none. */
  header(url: URL): string {
    return [...this.#cookies.values()]
      .filter(
        ({ path }) =>
          url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
      )
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }
}
