import { graphql, parse, subscribe } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProtectedSubgraphOptions } from '@behalf/directives';
import { testedSubgraph } from './support.js';
import type { TokenOptions } from './support.js';

const SDL = `
  type Query { ok: Boolean @public }
  type Subscription { note(of: ID): Note @authenticated tick: Int @authenticated open: Int @public }
  type Note @subject(field: "owner") { id: ID }
`;
const foreign = { id: 'f', owner: 'noor' };
const own = { id: 'o', owner: 'alma' };

const resolveNote = vi.fn();
const resolveTick = vi.fn();
let source: () => unknown;
let revoked: AbortController;
beforeEach(() => {
  resolveNote.mockReset();
  resolveTick.mockReset();
  revoked = new AbortController();
});

async function* events(...payloads: readonly unknown[]): AsyncGenerator {
  yield* payloads;
}

type Opened = AsyncGenerator<ExecutionResult, void, void> | ExecutionResult;

async function open(
  query: string,
  note: object = { resolve: resolveNote },
  caller: TokenOptions | 'nobody' = { subject: 'alma' },
  options: Partial<ProtectedSubgraphOptions> = { revocationSignal: () => revoked.signal },
): Promise<Opened> {
  const subgraph = testedSubgraph(
    SDL,
    {
      Subscription: {
        note: { subscribe: () => source(), ...note },
        tick: { subscribe: () => source(), resolve: resolveTick },
        open: { subscribe: () => source(), resolve: (payload: unknown) => payload },
      },
    },
    options,
  );
  return subscribe({
    schema: subgraph.schema,
    document: parse(`subscription { ${query} }`),
    contextValue: await subgraph.context(caller === 'nobody' ? undefined : caller),
  });
}

async function all(opened: Opened): Promise<unknown[]> {
  if (!('next' in opened)) throw new Error(JSON.stringify(opened));
  const results: unknown[] = [];
  for await (const { data, errors } of opened) results.push(errors?.map(({ message }) => message) ?? data);
  return results;
}

describe('whose an event is', () => {
  it('is told by a field without a resolver, too', async () => {
    source = () => events({ note: foreign }, { note: own }, { note: null });
    expect(await all(await open('note { id }', {}))).toEqual([{ note: { id: 'o' } }, { note: null }]);
  });

  it('is resolved with the arguments, the context and the payload as root value', async () => {
    source = () => events(own);
    resolveNote.mockImplementation((payload: unknown) => payload);
    expect(await all(await open('note(of: "1") { id }'))).toEqual([{ note: { id: 'o' } }]);
    const expected = [
      own,
      { of: '1' },
      expect.objectContaining({ delegation: expect.objectContaining({ subject: 'alma' }) as unknown }),
      expect.objectContaining({ fieldName: 'note', rootValue: own }),
    ];
    expect(resolveNote.mock.calls).toEqual([expected, expected]);
  });

  it('stays open where the resolver fails, and the consumer is told', async () => {
    source = () => events(foreign, own);
    resolveNote.mockImplementation((payload: unknown) => {
      if (payload === foreign) throw new Error('no database');
      return payload;
    });
    expect(await all(await open('note { id }'))).toEqual([['no database'], { note: { id: 'o' } }]);
  });

  it('is not asked after the delegation has been revoked', async () => {
    let push: (payload: unknown) => void = () => undefined;
    const pushed = new Promise((resolve) => (push = resolve));
    source = async function* () {
      yield await pushed;
    };
    const stream = await open('note { id }');
    const ended = expect(all(stream)).rejects.toMatchObject({ extensions: { code: 'DELEGATION_ENDED' } });
    revoked.abort();
    await ended;
    push(own);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(resolveNote).not.toHaveBeenCalled();
  });
});

describe('a delegation whose end another operation of the same context has found', () => {
  it('ends the stream at its next event', async () => {
    let push: (payload: unknown) => void = () => undefined;
    const pushed = new Promise((resolve) => (push = resolve));
    const subgraph = testedSubgraph(SDL, {
      Subscription: {
        note: {
          async *subscribe() {
            yield await pushed;
          },
          resolve: resolveNote,
        },
      },
    });
    const contextValue = await subgraph.context({ subject: 'alma' });
    const { schema } = subgraph;
    const stream = await subscribe({ schema, document: parse('subscription { note { id } }'), contextValue });
    const ended = expect(all(stream)).rejects.toMatchObject({ extensions: { code: 'DELEGATION_ENDED' } });
    subgraph.nowMs += 3_600_000;
    await graphql({ schema, source: '{ ok }', contextValue });
    push(own);
    await ended;
    expect(resolveNote).not.toHaveBeenCalled();
  });
});

describe('the signal of a revocation', () => {
  it('is asked for nobody who has no delegation', async () => {
    source = () => events(1);
    const revocationSignal = vi.fn(() => revoked.signal);
    expect(await all(await open('open', {}, 'nobody', { revocationSignal }))).toEqual([{ open: 1 }]);
    expect(revocationSignal).not.toHaveBeenCalled();
  });

  it('may be missing', async () => {
    source = () => events(1);
    expect(await all(await open('open', {}, { subject: 'alma' }, {}))).toEqual([{ open: 1 }]);
  });
});

describe('a field that returns no rows of anybody', () => {
  it('is resolved once for each event', async () => {
    source = () => events(1, 2);
    resolveTick.mockImplementation((payload: unknown) => payload);
    expect(await all(await open('tick'))).toEqual([{ tick: 1 }, { tick: 2 }]);
    expect(resolveTick).toHaveBeenCalledTimes(2);
  });
});

describe('a source that is no stream', () => {
  it.each(['note { id }', 'tick'])('is refused by graphql-js: %s', async (query) => {
    source = () => own;
    const opened = await open(query).catch((error: unknown) => String(error));
    expect(JSON.stringify(opened)).toContain('must return Async Iterable');
  });
});
