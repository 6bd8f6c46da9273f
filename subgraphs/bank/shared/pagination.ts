import { badUserInput } from './errors.js';

const MAX_PAGE_SIZE = 200;
const DEFAULT_PAGE = 50;
const MAX_CURSOR_LENGTH = 120;

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
}

/** A requested page; `after` is what {@link writeCursor} was given. */
export interface Page {
  readonly first: number;
  readonly after: readonly string[] | undefined;
}

/**
 * @param kind the kind of list; a cursor of another kind is refused
 * @param forms a pattern for each part of its cursors
 * @throws GraphQLError `BAD_USER_INPUT`
 */
export function readPage(
  { first, after }: PageArguments,
  kind: string,
  forms: readonly RegExp[],
  largest = MAX_PAGE_SIZE,
): Page {
  const size = first ?? Math.min(DEFAULT_PAGE, largest);
  if (!Number.isInteger(size) || size < 1 || size > largest) {
    throw badUserInput(`"first" must be from 1 to ${largest}`);
  }
  return {
    first: size,
    after: after === undefined || after === null ? undefined : readCursor(after, kind, forms),
  };
}

/** Cursors are opaque to clients. */
export function writeCursor(kind: string, parts: readonly string[]): string {
  return Buffer.from([kind, ...parts].join(' ')).toString('base64url');
}

function readCursor(cursor: string, kind: string, forms: readonly RegExp[]): readonly string[] {
  const [found, ...parts] =
    cursor.length > MAX_CURSOR_LENGTH ? [] : Buffer.from(cursor, 'base64url').toString().split(' ');
  const fits =
    found === kind &&
    parts.length === forms.length &&
    parts.every((part, index) => forms[index]?.test(part) === true);
  if (!fits) throw badUserInput('"after" is not a cursor of this list');
  return parts;
}

export interface Connection<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** @param rows the page, and one more row if there are more */
export function toConnection<Node>(
  rows: readonly Node[],
  page: Page,
  cursorOf: (row: Node) => string,
): Connection<Node> {
  const edges = rows.slice(0, page.first).map((node) => ({ cursor: cursorOf(node), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
