import type { Delegation } from '@behalf/directives';
import fc from 'fast-check';
import { execute, parse, print, validate } from 'graphql';
import type { DocumentNode, ExecutionResult } from 'graphql';
import { asJson, clientOperation } from '../oracle.js';
import type { Whole } from '../oracle-selections.js';
import { callers } from '../delegations.js';
import { Choices } from './choices.js';
import type { RunContext } from './data.js';
import { drawOperation } from './operations.js';
import type { Operation } from './operations.js';
import { answer } from './real-gateway.js';
import type { Answering, Run } from './real-gateway.js';
import type { World } from './world.js';

/** A caller and an operation on a federation. */
export interface Case extends Operation {
  readonly world: World;
  readonly caller: Delegation | undefined;
}

export interface Shown {
  readonly result: ExecutionResult;
  /** Undefined if nothing was left to execute. */
  readonly run: Run | undefined;
  /** Mutations, in execution order. */
  readonly ran: readonly string[];
  /** What was executed. */
  readonly executed: DocumentNode | undefined;
}

export function casesOf(worlds: readonly World[]): fc.Arbitrary<Case> {
  const numbers = fc.array(fc.nat(0xff_ff), { maxLength: 250, size: 'max' });
  return fc
    .tuple(fc.nat(), numbers, callers)
    .map(([index, row, caller]) => {
      const world = worlds[index % worlds.length];
      if (world === undefined) throw new Error('no federation was drawn');
      return { world, caller, ...drawOperation(Choices.from(row), world.merged) };
    })
    .filter(({ world, source }) => validate(world.merged, parse(source)).length === 0);
}

export function wholeOf({ merged, rules, data }: World): Whole {
  return { schema: merged, rules, root: data.root };
}

/** A case as text, for reading failures. */
export function told({ world, source, variables, caller }: Case): string {
  const held =
    caller === undefined
      ? 'nobody'
      : [...caller.scopes, ...caller.policies, ...(caller.consent?.purposes ?? [])].join(' ');
  const sdl = world.parts.map((part) => `# ${part.name}\n${part.sdl}`).join('\n');
  return `federation ${world.seed}\n${source}\n${JSON.stringify(variables)}\nheld: ${held}\n${sdl}\n`;
}

let count = 0;

/** The path of a request: decide, plan and execute the rest with the real gateway, complete. */
export async function asked(
  { world, source, variables, caller }: Case,
  answering: (context: RunContext) => Answering = unprotected(world),
): Promise<Shown> {
  const authorization = decide(world, parse(source), caller, variables);
  const { execute: left } = authorization;
  const context: RunContext = { ran: [] };
  if (left === undefined) {
    const result = asJson(authorization.complete({ data: {} }));
    return { result, run: undefined, ran: [], executed: undefined };
  }
  const run = await world.gateway.run(left, variables, answering(context));
  const result = asJson(authorization.complete(run.result));
  return { result, run, ran: context.ran, executed: left.document };
}

/** The same with graphql-js in place of the gateway and its subgraphs. */
export function askedWhole(
  world: World,
  document: DocumentNode,
  caller: Delegation | undefined,
  variables: Readonly<Record<string, unknown>>,
): Omit<Shown, 'run'> {
  const authorization = decide(world, document, caller, variables);
  const executed = authorization.execute?.document;
  const context: RunContext = { ran: [] };
  const outcome = executed === undefined ? { data: {} } : plainly(world, executed, variables, context);
  return { result: asJson(authorization.complete(outcome)), ran: context.ran, executed };
}

/** A document executed by graphql-js alone. */
export function plainly(
  { merged, data }: World,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
  contextValue: RunContext = { ran: [] },
): ExecutionResult {
  return execute({
    schema: merged,
    document,
    rootValue: data.root,
    variableValues: variables,
    contextValue,
  }) as ExecutionResult;
}

function decide(
  { authorizer }: World,
  document: DocumentNode,
  caller: Delegation | undefined,
  variables: Readonly<Record<string, unknown>>,
): ReturnType<World['authorizer']['authorize']> {
  count += 1;
  return authorizer.authorize(clientOperation(document, `${count} ${print(document)}`), caller, variables);
}

/** The subgraphs without their rules. */
export function unprotected(world: World): (context: RunContext) => Answering {
  return (context) => (request) => {
    const part = world.parts.find(({ name }) => name === request.graph);
    if (part === undefined) throw new Error(`no subgraph ${request.graph}`);
    return answer(part.schema, request, world.data.root, context);
  };
}
