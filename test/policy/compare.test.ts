import { RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { readSupergraphConfig } from '../../gateway/compose/supergraph-config.js';
import {
  checkPolicy,
  comparePolicyWithSchema,
  describeMismatch,
  readPolicy,
  vocabularyOf,
} from '../../policy/index.js';
import { projectPath } from '@behalf/example/internal';

const SCHEMA = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@minimize", "@purpose"])
  type Query { me: Person @requiresScopes(scopes: [["a", "b"], ["c"]]) }
  type Person @purpose(of: ["planning", "credit"]) {
    name: String @requiresScope(scope: "a") @minimize(to: REDACT, unless: [["full"]])
    level: Level
  }
  enum Level @requiresScopes(scopes: [["level"]]) { LOW }`;
const vocabulary = vocabularyOf(new RuleTable(parse(SCHEMA), { coverage: 'open' }));

const scope = { sentence: 'See it', access: 'read', sensitivity: 'low' };
const policyOf = (scopes: Record<string, object>, purposes: readonly string[]) =>
  checkPolicy({
    scopes: Object.fromEntries(Object.entries(scopes).map(([name, more]) => [name, { ...scope, ...more }])),
    purposes: Object.fromEntries(purposes.map((name) => [name, { sentence: 'To see' }])),
  });
const ALL = { a: {}, b: {}, c: {}, full: {}, level: {} };

describe('the worked example', () => {
  it('has a policy that matches its supergraph', async () => {
    const supergraph = composeSupergraph(await readSupergraphConfig(projectPath('supergraph.yaml')));
    const policy = await readPolicy(projectPath('policy.yaml'));
    const words = vocabularyOf(new RuleTable(parse(supergraph), { coverage: 'required' }));
    expect(comparePolicyWithSchema(policy, words)).toEqual([]);
  });
});

describe('the vocabulary of a schema', () => {
  it('contains the names of every rule, with their coordinates', () => {
    expect(Object.fromEntries(vocabulary.scopes)).toEqual({
      a: ['Query.me', 'Person.name'],
      b: ['Query.me'],
      c: ['Query.me'],
      full: ['Person.name'],
      level: ['Level'],
    });
    expect(Object.fromEntries(vocabulary.purposes)).toEqual({ planning: ['Person'], credit: ['Person'] });
  });
});

describe('a policy and a schema', () => {
  it('match if they name the same', () => {
    const findings = comparePolicyWithSchema(policyOf(ALL, ['planning', 'credit']), vocabulary);
    expect(findings).toEqual([]);
    expect(describeMismatch(findings)).toBeUndefined();
  });

  it('are compared in both directions, by name', () => {
    const { c: _c, ...fewer } = ALL;
    const findings = comparePolicyWithSchema(
      policyOf({ ...fewer, extra: {} }, ['credit', 'ads']),
      vocabulary,
    );
    expect(findings).toEqual([
      { kind: 'purpose-not-in-policy', severity: 'error', name: 'planning', coordinates: ['Person'] },
      { kind: 'purpose-not-in-schema', severity: 'warning', name: 'ads', coordinates: [] },
      { kind: 'scope-not-in-policy', severity: 'error', name: 'c', coordinates: ['Query.me'] },
      { kind: 'scope-not-in-schema', severity: 'error', name: 'extra', coordinates: [] },
    ]);
    expect(describeMismatch(findings)).toBe(
      'scopes that the schema uses and the policy lacks: c; ' +
        'scopes that the policy has and the schema does not use: extra; ' +
        'purposes that the schema uses and the policy lacks: planning',
    );
  });

  it('may have a scope that is marked as outside the schema', () => {
    const policy = policyOf({ ...ALL, 'gateway:admin': { outsideSchema: true } }, ['planning', 'credit']);
    expect(comparePolicyWithSchema(policy, vocabulary)).toEqual([]);
  });

  it('may differ in deprecated scopes', () => {
    const deprecated = { since: '2026-01-01', replacedBy: ['b'] };
    const policy = policyOf({ ...ALL, a: { deprecated }, old: { deprecated } }, ['planning', 'credit']);
    const findings = comparePolicyWithSchema(policy, vocabulary);
    expect(findings.map(({ kind, name, replacedBy }) => [kind, name, replacedBy])).toEqual([
      ['deprecated-scope-required', 'a', ['b']],
      ['scope-not-in-schema', 'old', undefined],
    ]);
    expect(describeMismatch(findings)).toBeUndefined();
  });
});
