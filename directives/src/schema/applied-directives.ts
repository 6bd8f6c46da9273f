import { specifiedDirectives as graphqlDirectives, valueFromASTUntyped } from 'graphql';
import type { ConstDirectiveNode, GraphQLSchema } from 'graphql';
import { DirectiveError } from '../errors.js';
import { isRecord } from '../is-record.js';
import { must } from '../option-checks.js';
import { directiveNode } from './directive-node.js';
import { readGivenDirectives } from './extension-directives.js';

interface DirectiveHolder {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** The common part of all schema elements: the SDL it was built from, if any, and a library's notes on it. */
export interface SchemaElement {
  readonly astNode?: DirectiveHolder | null | undefined;
  readonly extensionASTNodes?: readonly DirectiveHolder[] | null | undefined;
  readonly extensions?: Readonly<Record<PropertyKey, unknown>> | null | undefined;
}

/** `@deprecated` and the like: printed with the schema, from its own properties. */
const OF_GRAPHQL: ReadonlySet<string> = new Set(graphqlDirectives.map(({ name }) => name));

/**
 * The directives applied to one element of a schema, wherever its library stores them: in `astNode`, in `extensionASTNodes`, in
 * `extensions.directives`. An application that is stored in several places is listed once.
 *
 * @param elsewhere other SDL nodes of the same element
 * @throws {DirectiveError} `INVALID_RULE` for unreadable extensions
 */
export function appliedDirectives(
  schema: GraphQLSchema,
  element: SchemaElement,
  coordinate: string,
  elsewhere: readonly DirectiveHolder[] = [],
): readonly ConstDirectiveNode[] {
  const holders = [element.astNode, ...(element.extensionASTNodes ?? []), ...elsewhere];
  const inSdl = holders.flatMap((holder) => holder?.directives ?? []);
  const extensions = element.extensions ?? {};
  if (!isRecord(extensions))
    throw new DirectiveError('INVALID_RULE', `its extensions ${must('an object', extensions)}`, coordinate);
  const inExtensions = readGivenDirectives(extensions.directives, coordinate).map((given) =>
    directiveNode(given, schema.getDirective(given.name) ?? undefined, coordinate),
  );
  const applied = new Map<string, ConstDirectiveNode>();
  for (const node of [...inSdl, ...inExtensions]) {
    if (OF_GRAPHQL.has(node.name.value)) continue;
    const key = applicationKey(node);
    if (!applied.has(key)) applied.set(key, node);
  }
  return [...applied.values()];
}

/** The same for two spellings of one application: arguments in another order, an enum value as a string. */
function applicationKey({ name, arguments: args = [] }: ConstDirectiveNode): string {
  const values = args
    .map((argument): [string, unknown] => [argument.name.value, valueFromASTUntyped(argument.value)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name.value, values]);
}
