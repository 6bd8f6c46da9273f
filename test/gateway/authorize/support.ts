import type { Delegation } from '@behalf/directives';
import { FilterInputs, isMet, RuleTable } from '@behalf/directives/internal';
import { buildASTSchema, Kind, parse, print } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { analyzeOperation } from '../../../gateway/authorize/analysis.js';
import type { OperationAnalysis } from '../../../gateway/authorize/analysis.js';
import { Conditions } from '../../../gateway/authorize/conditions.js';
import { filterOperation } from '../../../gateway/authorize/filter.js';
import type { FilteredOperation } from '../../../gateway/authorize/filter.js';
import type { ClientOperation } from '../../../gateway/authorize/index.js';

const LINKS =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"]) ';
/** `Mutation.pay` is open, and `Paying.pay` is not: one response key can be denied at one place and not at another. */
const SDL = /* GraphQL */ `
  directive @note(text: String) on QUERY
  type Query {
    open: Int
    me: Person
    any: Named
    boss: Person @requiresScopes(scopes: [["boss"]])
  }
  interface Named {
    name: String
  }
  type Person implements Named {
    name: String
    email: String @requiresScopes(scopes: [["email"]])
    phone: String @requiresScopes(scopes: [["phone"]])
    friend: Person
  }
  interface Paying {
    pay: Receipt @requiresScopes(scopes: [["pay"]])
  }
  type Mutation implements Paying {
    pay: Receipt
    note(text: String): Receipt
    clear: Receipt
  }
  type Receipt {
    id: ID
    total: Int @requiresScopes(scopes: [["total"]])
    payer: Person
  }
`;
const schema = buildASTSchema(parse(SDL), { assumeValid: true, assumeValidSDL: true });
const rules = new RuleTable(parse(LINKS + SDL), { coverage: 'open' });

/** @param operationName of the operation to choose; by default the first. */
export function clientOf(text: string, operationName?: string): ClientOperation {
  const document = parse(text);
  const operation = document.definitions.find(
    (node): node is OperationDefinitionNode =>
      node.kind === Kind.OPERATION_DEFINITION &&
      (operationName === undefined || node.name?.value === operationName),
  );
  if (operation === undefined) throw new Error('no operation');
  return { document, operation, queryHash: text };
}

/** @param joinNames of fields that join subgraphs. */
export function analyze(
  client: ClientOperation,
  joinNames: ReadonlySet<string> = new Set(),
): OperationAnalysis {
  return analyzeOperation(client, schema, rules, joinNames, new FilterInputs(schema, rules.filters));
}

/** For each requirement, whether a client with these scopes meets it. */
export function metBy(analysis: OperationAnalysis, scopes: readonly string[]): readonly boolean[] {
  const delegation: Delegation = {
    subject: 's',
    clientId: 'c',
    scopes: new Set(scopes),
    policies: new Set(),
    roles: [],
  };
  return analysis.requirements.map((requirement) => isMet(requirement, delegation));
}

/** The operation as filtered, its text on one line, and the names of what was removed and denied. */
export interface Filtering {
  readonly filtered: FilteredOperation;
  readonly text: string | undefined;
  readonly removed: readonly string[];
  readonly denied: readonly string[];
}

export function filterAnalysis(
  analysis: OperationAnalysis,
  scopes: readonly string[] = [],
  variables: Readonly<Record<string, unknown>> = {},
): Filtering {
  const met = metBy(analysis, scopes);
  const conditions = new Conditions(analysis, variables);
  const filtered = filterOperation(analysis, (index) => met[index] === true, conditions);
  const { execute, removals, denied } = filtered;
  return {
    filtered,
    text: execute === undefined ? undefined : print(execute.document).replace(/\s+/g, ' '),
    removed: [...removals].map(([{ name }, why]) => `${name.value} ${why}`),
    denied: denied.map(({ name }) => name.value),
  };
}

export function filter(
  text: string,
  scopes: readonly string[] = [],
  variables: Readonly<Record<string, unknown>> = {},
): Filtering {
  return filterAnalysis(analyze(clientOf(text)), scopes, variables);
}
