import { readFile } from 'node:fs/promises';

import { type DirectiveNode, type NameNode, parse, type StringValueNode, visit } from 'graphql';
import { describe, expect, it } from 'vitest';

import { composeSupergraph } from '../../gateway/compose/compose.js';
import { readSupergraphConfig } from '../../gateway/compose/supergraph-config.js';
import { readPolicy } from '../../policy/index.js';
import { buildAccountsSchema } from '../../subgraphs/bank/accounts/schema.js';
import { buildConsentSchema } from '../../subgraphs/consent/schema.js';
import { buildCustomersSchema } from '../../subgraphs/bank/customers/schema.js';
import { SUBGRAPH_NAMES } from '../../subgraphs/bank/index.js';
import { buildPaymentsSchema } from '../../subgraphs/bank/payments/schema.js';
import { projectPath } from '@behalf/example/internal';

const gateway = { issuer: 'https://gateway.test', jwksUri: 'https://gateway.example/jwks' };
const schemaFile = (name: string): string =>
  projectPath('subgraphs', ...(name === 'consent' ? [name] : ['bank', name]), 'schema.graphql');
const documents = await Promise.all(
  SUBGRAPH_NAMES.map(async (name) => parse(await readFile(schemaFile(name), 'utf8'))),
);

function directives(): DirectiveNode[] {
  const found: DirectiveNode[] = [];
  for (const document of documents) {
    visit(document, {
      Directive(node) {
        found.push(node);
      },
    });
  }
  return found;
}

describe('the schemas', () => {
  it('build with a rule for every field', () => {
    const pseudonymKey = new Uint8Array(32);
    const schemas = [
      buildCustomersSchema({ gateway }),
      buildAccountsSchema({ gateway, pseudonymKey }),
      buildPaymentsSchema({ gateway }),
      buildConsentSchema({ gateway }),
    ];
    for (const schema of schemas) expect(schema.getQueryType()).toBeDefined();
  });

  it('compose', async () => {
    const sources = await readSupergraphConfig(projectPath('supergraph.yaml'));
    expect(sources.map(({ name }) => name)).toEqual(SUBGRAPH_NAMES);
    const supergraph = composeSupergraph(sources);
    expect(supergraph).toContain('@requiresScopes(scopes: [["profile:read"]])');
    expect(supergraph).toContain('@minimize(to: PSEUDONYMIZE, unless: [["transactions:details"]])');
  });

  it('describe everything', () => {
    const undescribed: string[] = [];
    const check = (node: { readonly name: NameNode; readonly description?: StringValueNode }): void => {
      const isRoot = ['Query', 'Mutation'].includes(node.name.value);
      if (node.description === undefined && !isRoot) undescribed.push(node.name.value);
    };
    for (const document of documents) {
      visit(document, {
        ObjectTypeDefinition: check,
        InterfaceTypeDefinition: check,
        UnionTypeDefinition: check,
        EnumTypeDefinition: check,
        InputObjectTypeDefinition: check,
        ScalarTypeDefinition: check,
        FieldDefinition: check,
        EnumValueDefinition: check,
      });
    }
    expect(undescribed).toEqual([]);
  });

  it('show every directive, and every strategy that needs no statistics', () => {
    const names = new Set(directives().map(({ name }) => name.value));
    expect([...names]).toEqual(
      expect.arrayContaining([
        'authenticated',
        'minimize',
        'personalData',
        'policy',
        'public',
        'purpose',
        'requiresScope',
        'requiresScopes',
        'subject',
      ]),
    );
    const strategies = new Set(
      directives()
        .filter(({ name }) => name.value === 'minimize')
        .flatMap(({ arguments: given = [] }) => given)
        .flatMap(({ name, value }) => (name.value === 'to' && 'value' in value ? [value.value] : [])),
    );
    expect([...strategies].sort()).toEqual([
      'GENERALIZE',
      'KEEP',
      'MASK',
      'PSEUDONYMIZE',
      'REDACT',
      'TRUNCATE',
    ]);
  });

  it('have a policy description for every scope in a rule', async () => {
    const texts = (name: string, argument: string): string[] =>
      directives()
        .filter((directive) => directive.name.value === name)
        .flatMap(({ arguments: given = [] }) => given.filter((one) => one.name.value === argument))
        .flatMap(({ value }) => JSON.stringify(value).match(/[a-z]+:[a-z]+/g) ?? []);
    const described = new Set((await readPolicy(projectPath('policy.yaml'))).scopes.keys());
    const used = [
      ...texts('requiresScope', 'scope'),
      ...texts('requiresScopes', 'scopes'),
      ...texts('minimize', 'unless'),
    ];
    expect([...described].sort()).toEqual([...new Set(used)].sort());
    expect(described).toContain('transactions:details');
  });
});
