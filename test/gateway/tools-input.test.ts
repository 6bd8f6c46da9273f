import { describe, expect, it } from 'vitest';
import {
  compose,
  ComposeError,
  composeSupergraph,
  ConfigurationError,
  createExplainer,
  diffSupergraphs,
  inspectSupergraph,
  lint,
  readSupergraphConfig,
  supposedDelegation,
} from '../../gateway/tools.js';

const a = { name: 'a', url: 'http://a.example', sdl: 'type Query { a: Int }' };
const b = { name: 'b', url: 'http://b.example', sdl: 'type Query { b: Int }' };
const sdl = composeSupergraph([a, b]);
const whole = inspectSupergraph(sdl, 'open');
const explain = createExplainer(sdl, 'open');
const input = { subgraphs: [a], supergraph: sdl, policy: undefined, today: '2026-01-31' };
const delegation = supposedDelegation({ scopes: ['x'] });

type Call = (...args: unknown[]) => unknown;
const tools = {
  compose: compose as Call,
  composeSupergraph: composeSupergraph as Call,
  createExplainer: createExplainer as Call,
  diffSupergraphs: diffSupergraphs as Call,
  explain: explain as Call,
  inspectSupergraph: inspectSupergraph as Call,
  lint: lint as Call,
  readSupergraphConfig: readSupergraphConfig as Call,
  supposedDelegation: supposedDelegation as Call,
};

/** As a program in JavaScript may call them. */
const WRONG: readonly [keyof typeof tools, readonly unknown[], string][] = [
  ['compose', [], 'outputFile'],
  ['compose', [5, 'out.graphql'], 'configFile'],
  ['composeSupergraph', [], 'subgraphs'],
  ['composeSupergraph', [a], 'subgraphs'],
  ['composeSupergraph', [[a, undefined]], 'subgraphs[1]'],
  ['composeSupergraph', [[{ name: 'a', url: 'http://a.example' }]], 'subgraphs[0].sdl'],
  ['composeSupergraph', [[{ ...a, sdl: Buffer.from(a.sdl) }]], 'subgraphs[0].sdl'],
  ['composeSupergraph', [[{ ...a, sdl: './a.graphql' }]], 'subgraphs[0].sdl'],
  ['composeSupergraph', [[{ ...a, name: '' }]], 'subgraphs[0].name'],
  ['composeSupergraph', [[{ ...a, url: 5 }]], 'subgraphs[0].url'],
  ['composeSupergraph', [[{ ...a, ulr: '' }]], 'subgraphs[0].ulr'],
  ['readSupergraphConfig', [], 'configFile'],
  ['createExplainer', [], 'supergraphSdl'],
  ['createExplainer', ['supergraph.graphql', 'open'], 'supergraphSdl'],
  ['createExplainer', [sdl, 'opne'], 'coverage'],
  ['createExplainer', [sdl], 'coverage'],
  ['inspectSupergraph', [Buffer.from(sdl), 'open'], 'supergraphSdl'],
  ['inspectSupergraph', [sdl, { coverage: 'open' }], 'coverage'],
  ['explain', [], 'the input'],
  ['explain', ['{ a }'], 'the input'],
  ['explain', [{ delegation }], 'query'],
  ['explain', [{ query: 5 }], 'query'],
  ['explain', [{ query: '{ a }', delegation: { scopes: ['x'] } }], 'delegation'],
  ['explain', [{ query: '{ a }', delegaton: delegation }], 'delegaton'],
  ['diffSupergraphs', ['a', 'b'], 'before'],
  ['diffSupergraphs', [whole], 'after'],
  ['diffSupergraphs', [whole, {}], 'after'],
  ['lint', [], 'the input'],
  ['lint', [{}], 'subgraphs'],
  ['lint', [{ ...input, subgraphs: [{}] }], 'subgraphs[0].name'],
  ['lint', [{ ...input, supergraph: {} }], 'supergraph'],
  ['lint', [{ ...input, policy: {} }], 'policy'],
  ['lint', [{ ...input, policy: 'policy.yaml' }], 'policy'],
  ['lint', [{ ...input, translations: ['policy.de.yaml'] }], 'translations'],
  ['lint', [{ ...input, translations: [{ file: 'policy.de.yaml', translation: {} }] }], 'translations'],
  ['lint', [{ ...input, translations: [] }], 'policy'],
  ['lint', [{ ...input, today: new Date() }], 'today'],
  ['lint', [{ ...input, today: '1/31/2026' }], 'today'],
  ['supposedDelegation', [], 'held'],
  ['supposedDelegation', [{ scopes: 'accounts:read' }], 'scopes'],
  ['supposedDelegation', [{ scopes: [5] }], 'scopes'],
  ['supposedDelegation', [{ scope: ['a'] }], 'scope'],
  ['supposedDelegation', [{ purposes: new Set(['a']) }], 'purposes'],
];

describe('a tool that is given what it cannot use', () => {
  it.each(WRONG)('%s%j: names %s', async (tool, args, path) => {
    const error: unknown = await (async () => tools[tool](...args))().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: 'CONFIGURATION', path });
    expect((error as Error).message.startsWith(path)).toBe(true);
  });

  it('says which key was probably meant', () => {
    expect(() => tools.supposedDelegation({ scope: ['a'] })).toThrow('did you mean scopes?');
  });
});

it('subgraphs of one name do not compose', () => {
  const make = (): string => composeSupergraph([a, { ...b, name: 'a' }]);
  expect(make).toThrow(ComposeError);
  expect(make).toThrow(
    expect.objectContaining({
      code: 'COMPOSE_FAILED',
      details: ['SUBGRAPH_NAME_REPEATED: [a] several subgraphs have this name'],
    }) as Error,
  );
});

it('what the tools return is what they take', () => {
  expect(explain({ query: '{ a }', delegation }).errors).toBeUndefined();
  expect(explain({ query: '{ a }', delegation: undefined, operationName: undefined }).errors).toBeUndefined();
  expect(diffSupergraphs(whole, inspectSupergraph(sdl, 'required'))).not.toEqual([]);
  expect(lint({ ...input, supergraph: { failures: ['why'] } })).not.toEqual([]);
});
