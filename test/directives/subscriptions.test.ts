import { finishProtectedRequest, protectedContext } from '@behalf/directives';
import type { ProtectedContext, ProtectedSubgraphOptions } from '@behalf/directives';
import { createSourceEventStream, execute, graphql, parse, subscribe } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { errorCodes, testedSubgraph } from './support.js';
import type { TestedSubgraph, TokenOptions } from './support.js';
import { pause } from '../support/wait.js';

const SDL = `
  type Query { ok: String @public secret: String @authenticated }
  type Subscription {
    ticks: Tick @authenticated
    open: Tick @public
    scoped: Tick @requiresScope(scope: "ticks")
    notes: Note @authenticated
    needed: Note! @authenticated
    pages: [Note!] @authenticated
    any: Any @authenticated
    failing: Tick @authenticated
    pending: Tick @authenticated
    byRoot: Tick @authenticated
  }
  type Tick @public {
    n: Int
    later: Tick @authenticated
    secret: Int @authenticated
    phone: String @minimize(to: MASK, last: 2, showLength: true, unless: [["phone"]])
  }
  union Any = Note | Tick
  type Note @subject(field: "owner") { id: ID! owner: String }
`;

/** A source that the test feeds, and that records how it was closed. */
class Feed implements AsyncIterableIterator<unknown> {
  readonly returned = vi.fn();
  readonly #events: unknown[] = [];
  readonly #waiting: ((result: IteratorResult<unknown>) => void)[] = [];

  push(event: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting({ done: false, value: event });
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#events.length > 0) return Promise.resolve({ done: false, value: this.#events.shift() });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<unknown>> {
    this.returned();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

let feed: Feed;
let revoked: AbortController;

function subgraphOf(options: Partial<ProtectedSubgraphOptions> = {}): TestedSubgraph {
  const from = (field: string): object => ({
    subscribe: () => feed,
    resolve: (payload: Record<string, unknown>) => payload[field],
  });
  return testedSubgraph(
    SDL,
    {
      Query: { ok: () => 'ok', secret: () => 'secret' },
      Subscription: {
        ...Object.fromEntries(
          ['ticks', 'open', 'scoped', 'notes', 'needed', 'pages', 'any'].map((field) => [field, from(field)]),
        ),
        failing: {
          subscribe: () => {
            throw new Error('no broker');
          },
        },
        pending: { subscribe: () => opening },
      },
      Any: { __resolveType: (row: object) => ('owner' in row ? 'Note' : 'Tick') },
    },
    { revocationSignal: () => revoked.signal, ...options },
  );
}

let opening: Promise<unknown>;
let subgraph: TestedSubgraph;
beforeEach(() => {
  feed = new Feed();
  revoked = new AbortController();
  subgraph = subgraphOf();
});

type Stream = AsyncGenerator<ExecutionResult, void, void>;

async function open(
  query: string,
  caller: TokenOptions | undefined,
  contextValue?: ProtectedContext,
): Promise<Stream> {
  const stream = await tryToOpen(query, caller, contextValue);
  if (!('next' in stream)) throw new Error(JSON.stringify(stream.errors));
  return stream;
}

async function tryToOpen(
  query: string,
  caller: TokenOptions | undefined,
  contextValue?: ProtectedContext,
): Promise<Stream | ExecutionResult> {
  return subscribe({
    schema: subgraph.schema,
    document: parse(`subscription { ${query} }`),
    contextValue: contextValue ?? (await subgraph.context(caller)),
  });
}

const ENDED = { extensions: { code: 'DELEGATION_ENDED' } };
const DONE = { done: true, value: undefined };

describe('a subscription is refused like any field', () => {
  it.each([
    ['ticks', undefined],
    ['scoped', {}],
    ['byRoot', undefined],
  ])('%s', async (field, caller) => {
    const answer = await tryToOpen(`${field} { n }`, caller);
    expect(errorCodes(answer as ExecutionResult)).toEqual([`${field} UNAUTHORIZED_FIELD_OR_TYPE`]);
  });

  it('before its source is opened, even if the root value holds the source', async () => {
    const opened = vi.fn(() => feed);
    const from = async (caller: TokenOptions | undefined): Promise<unknown> =>
      createSourceEventStream({
        schema: subgraph.schema,
        document: parse('subscription { byRoot { n } }'),
        rootValue: { byRoot: opened },
        contextValue: await subgraph.context(caller),
      });
    expect(errorCodes((await from(undefined)) as ExecutionResult)).toEqual([
      'byRoot UNAUTHORIZED_FIELD_OR_TYPE',
    ]);
    expect(opened).not.toHaveBeenCalled();
    expect(await from({})).toHaveProperty('next');
  });

  it('without a context, and with another schema’s state', async () => {
    const elsewhere = await subgraphOf().context({ scope: 'ticks' });
    for (const contextValue of [{}, elsewhere]) {
      const answer = await tryToOpen('ticks { n }', undefined, contextValue as ProtectedContext);
      expect(errorCodes(answer as ExecutionResult)).toEqual(['ticks UNAUTHORIZED_FIELD_OR_TYPE']);
    }
  });

  it('and errors of its source pass unchanged', async () => {
    const messages = async (field: string): Promise<unknown> =>
      ((await tryToOpen(`${field} { __typename }`, {})) as ExecutionResult).errors?.map(
        ({ message, path }) => [message, path],
      );
    expect(await messages('failing')).toEqual([['no broker', ['failing']]]);
    feed[Symbol.asyncIterator] = () => {
      throw new Error('no stream');
    };
    expect(await messages('ticks')).toEqual([['no stream', ['ticks']]]);
    expect(await messages('notes')).toEqual([['no stream', ['notes']]]);
  });
});

describe('events while the delegation lasts', () => {
  it('are decided, minimized and recorded one by one', async () => {
    const contextValue = await subgraph.context({ scope: 'ticks' });
    const stream = await open('scoped { n phone }', undefined, contextValue);
    for (const n of [1, 2]) {
      feed.push({ scoped: { n, phone: '+46 70 12' } });
      expect((await stream.next()).value).toEqual({ data: { scoped: { n, phone: '+** ** 12' } } });
      expect(finishProtectedRequest(subgraph.schema, contextValue)?.fields).toEqual([
        ['Subscription.scoped', 'allowed', 1, null, '@requiresScopes(ticks)'],
        ['Tick.n', 'allowed', 1, null, null],
        ['Tick.phone', 'minimized', 1, 'MASK', null],
      ]);
    }
    await stream.return();
    expect(feed.returned).toHaveBeenCalledOnce();
  });

  it('end with the source, and with its error', async () => {
    const stream = await open('ticks { n }', {});
    const failure = Promise.reject(new Error('broker gone'));
    vi.spyOn(feed, 'next').mockReturnValue(failure);
    await expect(stream.next()).rejects.toThrow('broker gone');
    expect(await stream.next()).toEqual(DONE);
    vi.spyOn(feed, 'next').mockResolvedValue({ done: true, value: undefined });
    expect(await (await open('ticks { n }', {})).next()).toEqual(DONE);
    expect(feed.returned).not.toHaveBeenCalled();
  });

  it('of anonymous callers continue without limit', async () => {
    const stream = await open('open { n }', undefined);
    subgraph.nowMs += 3_600_000;
    revoked.abort();
    feed.push({ open: { n: 1 } });
    expect((await stream.next()).value).toEqual({ data: { open: { n: 1 } } });
  });
});

describe('an event after the end of the delegation', () => {
  const LONG = 55;
  const ENDS: Record<string, { caller: () => TokenOptions; end: () => void }> = {
    'an hour after the token’s exp': { caller: () => ({}), end: () => (subgraph.nowMs += 3_600_000) },
    'in the second of its exp': {
      caller: () => ({ lifetimeSeconds: LONG }),
      end: () => (subgraph.nowMs = Math.floor(subgraph.nowMs / 1_000) * 1_000 + LONG * 1_000),
    },
    'after the consent’s end': {
      caller: () => ({ lifetimeSeconds: LONG, consentUntil: Math.floor(subgraph.nowMs / 1_000) + 5 }),
      end: () => (subgraph.nowMs += 6_000),
    },
    'after it was revoked': { caller: () => ({}), end: () => revoked.abort() },
  };
  it.each(Object.keys(ENDS))('is an error, and the last: %s', async (name) => {
    const ending = ENDS[name];
    const stream = await open('ticks { n }', ending?.caller());
    feed.push({ ticks: { n: 1 } });
    expect((await stream.next()).value).toEqual({ data: { ticks: { n: 1 } } });
    ending?.end();
    feed.push({ ticks: { n: 2 } });
    await expect(stream.next()).rejects.toMatchObject(ENDED);
    expect(feed.returned).toHaveBeenCalledOnce();
    expect(await stream.next()).toEqual(DONE);
    expect(await stream.return()).toEqual(DONE);
    expect(feed.returned).toHaveBeenCalledOnce();
  });

  it('requested before the end is an error as well', async () => {
    const stream = await open('ticks { n }', {});
    const [first, second] = [stream.next(), stream.next()];
    subgraph.nowMs += 3_600_000;
    feed.push({ ticks: { n: 1 } });
    await expect(first).rejects.toMatchObject(ENDED);
    expect(await second).toEqual(DONE);
  });

  it('ends public subscriptions, too: the caller’s delegation has ended', async () => {
    const stream = await open('open { n }', {});
    subgraph.nowMs += 3_600_000;
    feed.push({ open: { n: 1 } });
    await expect(stream.next()).rejects.toMatchObject(ENDED);
  });

  it('carries nothing if a server stores events and executes them later', async () => {
    const document = parse('subscription { ticks { n } }');
    const contextValue = await subgraph.context({});
    const source = await createSourceEventStream({ schema: subgraph.schema, document, contextValue });
    feed.push({ ticks: { n: 1 } });
    const { value: rootValue } = await (source as Stream).next();
    const later = async (): Promise<ExecutionResult> =>
      execute({ schema: subgraph.schema, document, contextValue, rootValue });
    expect((await later()).data).toEqual({ ticks: { n: 1 } });
    subgraph.nowMs += 3_600_000;
    expect((await later()).data).toEqual({ ticks: null });
    expect(errorCodes(await later())).toEqual(['ticks DELEGATION_ENDED']);
  });

  it('denies fields that are resolved after the end', async () => {
    const stream = await open('ticks { secret later { n secret } }', {});
    let finish: (row: object) => void = () => undefined;
    const later = new Promise((resolve) => {
      finish = resolve;
    });
    feed.push({ ticks: { secret: 1, later } });
    const event = stream.next();
    await new Promise((resolve) => setImmediate(resolve));
    revoked.abort();
    finish({ n: 2, secret: 3 });
    const { value } = await event;
    expect(value?.data).toEqual({ ticks: { secret: 1, later: { n: 2, secret: null } } });
    await expect(stream.next()).rejects.toMatchObject(ENDED);
  });
});

describe('an idle subscription', () => {
  /** The clock and the timers, together. */
  const pass = async (milliseconds: number): Promise<void> => {
    subgraph.nowMs += milliseconds;
    await subgraph.timers.advance(milliseconds);
  };

  it('ends with its token, while it waits', async () => {
    const stream = await open('ticks { n }', { lifetimeSeconds: 50 });
    const next = stream.next();
    const outcome = vi.fn();
    next.catch(outcome);
    await pass(48_000);
    expect(outcome).not.toHaveBeenCalled();
    await pass(3_000);
    await expect(next).rejects.toMatchObject(ENDED);
    expect(feed.returned).toHaveBeenCalledOnce();
    expect(subgraph.timers.timers).toBe(0);
  });

  it('ends on revocation at once, and leaves no listener', async () => {
    const removed = vi.spyOn(revoked.signal, 'removeEventListener');
    const stream = await open('ticks { n }', {});
    const next = stream.next();
    revoked.abort();
    await expect(next).rejects.toMatchObject(ENDED);
    expect(feed.returned).toHaveBeenCalledOnce();
    expect(removed).toHaveBeenCalled();
  });

  it('without a pending request is closed, and reports it on the next one', async () => {
    const stream = await open('ticks { n }', {});
    await pass(16_000);
    expect(feed.returned).toHaveBeenCalledOnce();
    await expect(stream.next()).rejects.toMatchObject(ENDED);
    expect(await stream.next()).toEqual(DONE);
  });

  it('reports the end at once, even if no timer has fired', async () => {
    const stream = await open('ticks { n }', {});
    subgraph.nowMs += 16_000;
    await expect(stream.next()).rejects.toMatchObject(ENDED);
    expect(subgraph.timers.timers).toBe(0);
  });

  it('checks the clock again if a timer fires early', async () => {
    const stream = await open('ticks { n }', { lifetimeSeconds: 50 });
    const ended = vi.fn();
    stream.next().catch(ended);
    // The clock went back in the meantime.
    await subgraph.timers.advance(60_000);
    expect(ended).not.toHaveBeenCalled();
    await pass(60_000);
    expect(ended).toHaveBeenCalledOnce();
  });

  it('ends even if its generator waits forever', async () => {
    let left = false;
    feed[Symbol.asyncIterator] = function (this: Feed) {
      return (async function* () {
        try {
          yield { ticks: { n: 1 } };
          await new Promise(() => undefined);
        } finally {
          left = true;
        }
      })() as unknown as Feed;
    };
    const stream = await open('ticks { n }', {});
    await stream.next();
    const next = stream.next();
    revoked.abort();
    await expect(next).rejects.toMatchObject(ENDED);
    // Neither its wait nor its consumer can end it.
    expect(left).toBe(false);
  });

  it('whose source opens too late is not opened for the caller', async () => {
    let give: (source: unknown) => void = () => undefined;
    opening = new Promise((resolve) => {
      give = resolve;
    });
    const answer = tryToOpen('pending { n }', undefined, await subgraph.context({}));
    await new Promise((resolve) => setImmediate(resolve));
    revoked.abort();
    expect(errorCodes((await answer) as ExecutionResult)).toEqual(['pending DELEGATION_ENDED']);
    give(feed);
    await new Promise((resolve) => setImmediate(resolve));
    expect(feed.returned).toHaveBeenCalledOnce();
  });

  it('leaves neither timer nor listener when the consumer leaves', async () => {
    const removed = vi.spyOn(revoked.signal, 'removeEventListener');
    const stream = await open('ticks { n }', {});
    expect(subgraph.timers.timers).toBe(1);
    const waiting = stream.next();
    await stream.return();
    expect(await waiting).toEqual(DONE);
    expect(subgraph.timers.timers).toBe(0);
    expect(removed).toHaveBeenCalled();
    expect(feed.returned).toHaveBeenCalledOnce();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('return');
      },
    ],
    ['rejects', () => Promise.reject(new Error('return'))],
    ['never answers', () => new Promise(() => undefined)],
  ])('ends even if the source’s return() %s', async (_, returning) => {
    feed.return = returning as Feed['return'];
    const stream = await open('ticks { n }', {});
    const next = stream.next();
    revoked.abort();
    await expect(next).rejects.toMatchObject(ENDED);
  });
});

describe('a delegation that is over from the start', () => {
  it('opens nothing: revoked, ended, or with an unavailable signal', async () => {
    const subscribed = vi.spyOn(feed, Symbol.asyncIterator);
    revoked.abort();
    expect(errorCodes((await tryToOpen('ticks { n }', {})) as ExecutionResult)).toEqual([
      'ticks DELEGATION_ENDED',
    ]);
    revoked = new AbortController();
    const contextValue = await subgraph.context({});
    subgraph.nowMs += 16_000;
    const late = await tryToOpen('ticks { n }', undefined, contextValue);
    expect(errorCodes(late as ExecutionResult)).toEqual(['ticks DELEGATION_ENDED']);
    subgraph = subgraphOf({
      revocationSignal: () => {
        throw new Error('not connected');
      },
    });
    expect((await tryToOpen('ticks { n }', {})) as ExecutionResult).toMatchObject({
      errors: [{ path: ['ticks'] }],
    });
    expect(subscribed).not.toHaveBeenCalled();
  });

  it('reads nothing in later operations with a stored context', async () => {
    const contextValue = await subgraph.context({});
    const source = '{ ok secret }';
    const ask = (): Promise<ExecutionResult> => graphql({ schema: subgraph.schema, source, contextValue });
    expect((await ask()).data).toEqual({ ok: 'ok', secret: 'secret' });
    // While its token is accepted, an operation is answered.
    subgraph.nowMs += 17_000;
    expect((await ask()).data).toEqual({ ok: 'ok', secret: 'secret' });
    subgraph.nowMs += 3_600_000;
    expect((await ask()).data).toEqual({ ok: 'ok', secret: null });
  });

  it('reads nothing by reference, which bypasses root fields', async () => {
    const kept = testedSubgraph(
      `type Query { ok: String @public }
      type Note @key(fields: "id") { id: ID! @public text: String @requiresScope(scope: "read") }`,
      { Note: { __resolveReference: ({ id }: { id: string }) => ({ id, text: 'secret' }) } },
    );
    const contextValue = await kept.context({ scope: 'read' });
    const source =
      '{ _entities(representations: [{ __typename: "Note", id: "1" }]) { ... on Note { id text } } }';
    const ask = (): Promise<ExecutionResult> => graphql({ schema: kept.schema, source, contextValue });
    expect((await ask()).data).toEqual({ _entities: [{ id: '1', text: 'secret' }] });
    kept.nowMs += 3_600_000;
    expect((await ask()).data).toEqual({ _entities: [{ id: '1', text: null }] });
  });
});

describe('events of other subjects', () => {
  const note = (owner: string, id = owner): object => ({ id, owner });

  it.each([
    ['notes', (row: unknown) => row],
    ['needed', (row: unknown) => row],
    ['any', (row: unknown) => row],
    ['pages', (row: unknown) => [row]],
    ['notes', (row: unknown) => Promise.resolve(row)],
  ])('are skipped as if they had not happened: %s', async (field, give) => {
    const stream = await open(`${field} { ... on Note { id } }`, { subject: 'alma' });
    for (const [owner, id] of [
      ['noor', 'f1'],
      ['bo', 'f2'],
      ['alma', 'n1'],
      ['noor', 'f3'],
      ['alma', 'n2'],
    ] as const)
      feed.push({ [field]: give(note(owner, id)) });
    for (const id of ['n1', 'n2']) {
      expect((await stream.next()).value).toEqual({
        data: { [field]: field === 'pages' ? [{ id }] : { id } },
      });
    }
    expect(subgraph.logged).toContainEqual({
      code: 'FOREIGN_ROWS',
      facts: { subgraph: 'tested', coordinate: `Subscription.${field}`, count: 1 },
    });
  });

  it('do not include events of nothing, or lists with the caller’s rows', async () => {
    const stream = await open('pages { id }', {});
    feed.push({ pages: null });
    feed.push({ pages: [] });
    feed.push({ pages: [note('noor'), note('alma')] });
    expect((await stream.next()).value).toEqual({ data: { pages: null } });
    expect((await stream.next()).value).toEqual({ data: { pages: [] } });
    expect((await stream.next()).value).toEqual({ data: { pages: [{ id: 'alma' }] } });
  });

  it('in one-time iterables are omitted, though nothing looks ahead', async () => {
    const stream = await open('pages { id }', {});
    for (const owners of [['noor'], ['alma', 'noor']]) {
      feed.push({ pages: owners.map((owner) => note(owner)).values() });
    }
    expect((await stream.next()).value).toEqual({ data: { pages: [] } });
    expect((await stream.next()).value).toEqual({ data: { pages: [{ id: 'alma' }] } });
  });

  it('without end are not read after the consumer leaves', async () => {
    const pulled = vi
      .spyOn(feed, 'next')
      .mockImplementation(() => Promise.resolve({ done: false, value: { notes: note('noor') } }));
    const stream = await open('notes { id }', {});
    const next = stream.next();
    await new Promise((resolve) => setImmediate(resolve));
    await stream.return();
    expect(await next).toEqual(DONE);
    const calls = pulled.mock.calls.length;
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(pulled.mock.calls.length).toBeLessThanOrEqual(calls + 1);
  });

  it('without end do not prevent an end', async () => {
    const pulled = vi
      .spyOn(feed, 'next')
      .mockImplementation(() => Promise.resolve({ done: false, value: { notes: note('noor') } }));
    const stream = await open('notes { id }', {});
    const next = stream.next();
    setImmediate(() => {
      revoked.abort();
    });
    await expect(next).rejects.toMatchObject(ENDED);
    const calls = pulled.mock.calls.length;
    await pause();
    expect(pulled.mock.calls.length).toBeLessThanOrEqual(calls + 1);
  });
});

it('a subscription requests its signal once, with the delegation', async () => {
  const revocationSignal = vi.fn(() => revoked.signal);
  subgraph = subgraphOf({ revocationSignal });
  const contextValue = await protectedContext(subgraph.schema, { 'txn-token': await subgraph.token() });
  expect(revocationSignal).not.toHaveBeenCalled();
  await open('ticks { n }', undefined, contextValue);
  await open('ticks { n }', undefined, contextValue);
  expect(revocationSignal).toHaveBeenCalledExactlyOnceWith(contextValue.delegation);
});
