import type { UnreadableRequest } from './unreadable.js';

const ORIGIN_LINE = /\r\norigin:([^\r\n]*)(?=\r\n)/gi;
const REQUEST_LINE = /^[A-Z]+ (\S+) HTTP\//;

/** Every `Origin` of a request that could not be read, as far as it arrived. */
export function originsOf({ request, text }: UnreadableRequest): readonly string[] {
  if (request !== undefined) return request.headersDistinct.origin ?? [];
  return [...text.matchAll(ORIGIN_LINE)].map(([, origin = '']) => origin.trim());
}

/** Its target; undefined if that did not arrive. */
export function targetOf({ request, text }: UnreadableRequest): string | undefined {
  return request?.url ?? REQUEST_LINE.exec(text)?.[1];
}
