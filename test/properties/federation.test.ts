import type { Delegation } from '@behalf/directives';
import fc from 'fast-check';
import { parse, validate } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callers } from './delegations.js';
import { readPlan } from './federation/asked.js';
import { Choices } from './federation/choices.js';
import type { RunContext } from './federation/data.js';
import { drawOperation } from './federation/operations.js';
import type { Operation } from './federation/operations.js';
import { answer } from './federation/real-gateway.js';
import type { Answering, Run } from './federation/real-gateway.js';
import { Worlds } from './federation/world.js';
import type { World } from './federation/world.js';
import { asJson, clientOperation, errorsOf, nulledAfterwards } from './oracle.js';
import { hasEmptySet } from './federation/left-out.js';

/** `BEHALF_PROPERTY_RUNS=10` runs ten times as many by hand; `BEHALF_PROPERTY_SEED` draws the same federations again. */
const RUNS = Number(process.env.BEHALF_PROPERTY_RUNS ?? 1);
const SEED = Number(process.env.BEHALF_PROPERTY_SEED ?? Date.now() % 1_000_000_000);
const FEDERATIONS = 60 * Math.ceil(Math.sqrt(RUNS));

const worlds: World[] = [];
const drawn = new Worlds();

/** Cases of which it is known what they showed: little would be shown by a property that met none of them. */
const seen = {
  cases: 0,
  denied: 0,
  partial: 0,
  nothingLeft: 0,
  entityFetches: 0,
  requiresFetches: 0,
  deniedKeysJoined: 0,
  mutationsRun: 0,
  mutationsDenied: 0,
};

beforeAll(async () => {
  for (let index = 0; worlds.length < FEDERATIONS; index += 1) {
    const world = await drawn.make(SEED + index);
    if (world !== undefined) worlds.push(world);
  }
}, 600_000);

interface Case extends Operation {
  readonly world: World;
  readonly caller: Delegation | undefined;
}

const numbers = fc.array(fc.nat(0xff_ff), { maxLength: 250, size: 'max' });
const cases: fc.Arbitrary<Case> = fc
  .tuple(fc.nat(), numbers, callers)
  .map(([index, row, caller]) => {
    const world = worlds[index % worlds.length];
    if (world === undefined) throw new Error('no federation was drawn');
    return { world, caller, ...drawOperation(Choices.from(row), world.merged) };
  })
  .filter(({ world, source }) => validate(world.merged, parse(source)).length === 0);

/**
 * @apollo/gateway answers null for an object of which everything that was selected is left out, where graphql-js answers with an
 * empty object. Over the real gateway such operations would show nothing of what is shown here.
 */
const plannedCases = cases.filter(({ world, source, variables }) => !hasEmptySet(world.merged, parse(source), variables));

function told({ world, source, variables, caller }: Case): string {
  const held = caller === undefined ? 'nobody' : [...caller.scopes, ...caller.policies, ...(caller.consent?.purposes ?? [])].join(' ');
  const sdl = world.parts.map((part) => `# ${part.name}\n${part.sdl}`).join('\n');
  return `federation ${world.seed} (BEHALF_PROPERTY_SEED=${SEED})\n${source}\n${JSON.stringify(variables)}\nheld: ${held}\n${sdl}`;
}

interface Shown {
  readonly result: ExecutionResult;
  readonly run: Run | undefined;
  readonly ran: readonly string[];
}

let count = 0;
/** As the gateway does it: decide, plan and execute what is left, complete. */
async function filtered(asking: Case, answering?: (context: RunContext) => Answering): Promise<Shown> {
  const { world, source, variables, caller } = asking;
  count += 1;
  const authorization = world.authorizer.authorize(
    clientOperation(parse(source), String(count)),
    caller,
    variables,
  );
  const { execute } = authorization;
  const context: RunContext = { ran: [] };
  if (execute === undefined) {
    return { result: asJson(authorization.complete({ data: {} })), run: undefined, ran: [] };
  }
  const run = await world.gateway.run(execute, variables, (answering ?? unprotected(world))(context));
  return { result: asJson(authorization.complete(run.result as never)), run, ran: context.ran };
}

const unprotected =
  (world: World) =>
  (context: RunContext): Answering =>
  (asked) => {
    const part = world.parts.find(({ name }) => name === asked.graph);
    if (part === undefined) throw new Error(`no subgraph ${asked.graph}`);
    return answer(part.schema, asked, world.data.root, context);
  };

describe('for any federation, operation and delegation', { timeout: 600_000 }, () => {
  it('filtering before planning equals executing everything and nulling afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(plannedCases, async (asking) => {
        const { world, source, variables, caller } = asking;
        const document = parse(source);
        const before = await filtered(asking);
        const whole = { schema: world.merged, rules: world.rules, root: world.data.root };
        const after = nulledAfterwards(whole, document, caller, variables, { ran: [] });
        expect(JSON.stringify(before.result.data), told(asking)).toBe(JSON.stringify(after.data));
        expect(errorsOf(before.result), told(asking)).toEqual(errorsOf(after));
        const context: RunContext = { ran: [] };
        nulledAfterwards(whole, document, caller, variables, context, true);
        expect(before.ran, told(asking)).toEqual(context.ran);
      }),
      { numRuns: 1_000 * RUNS },
    );
  });

  it('nothing that is denied is asked of a subgraph, keys and @requires inputs apart', async () => {
    await fc.assert(
      fc.asyncProperty(plannedCases, async (asking) => {
        const { world, caller } = asking;
        const { run, result, ran } = await filtered(asking);
        seen.cases += 1;
        if (run === undefined) seen.nothingLeft += 1;
        if ((result.errors ?? []).length > 0) {
          seen.denied += 1;
          if (run !== undefined) seen.partial += 1;
        }
        seen.mutationsRun += ran.length;
        if (run === undefined) return;
        const findings = readPlan(world, run.plan, caller);
        expect(findings.unjustified, told(asking)).toEqual([]);
        expect(findings.overgiven, told(asking)).toEqual([]);
        // What the subgraphs received is what was planned.
        const planned = new Set(run.plan.map(({ graph, operation }) => `${graph} ${operation}`));
        for (const { graph, query } of run.asked) expect(planned).toContain(`${graph} ${query}`);
        seen.entityFetches += findings.entityFetches;
        seen.requiresFetches += findings.requiresFetches;
        seen.deniedKeysJoined += findings.joins.length;
      }),
      { numRuns: 1_000 * RUNS },
    );
  });
});

afterAll(() => {
  console.log(seen, drawn.refused);
});
