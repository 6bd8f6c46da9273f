import { getNamedType, isListType, isNonNullType } from 'graphql';
import type {
  FieldNode,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLResolveInfo,
  GraphQLSchema,
} from 'graphql';
import type { FieldDecisions, RequestState } from '../enforce/request-state.js';
import { redactedValue } from '../minimize/strategies/redact.js';
import type { ColumnMapping } from './column-mapping.js';
import { compileMapping, invalid } from './compiled-mapping.js';
import type { CompiledMapping, CompiledPlace, FieldSources, Source } from './compiled-mapping.js';
import { addColumn } from './requested-column.js';
import type { RequestedColumn } from './requested-column.js';
import { objectTypesOf, selectedFields } from './selected-fields.js';

/** One computation, and what it has found. */
interface Call {
  readonly info: GraphQLResolveInfo;
  readonly state: RequestState;
  readonly columns: Map<string, RequestedColumn>;
}

const compiledMappings = new WeakMap<GraphQLSchema, WeakMap<ColumnMapping, CompiledMapping>>();

/**
 * The columns that the fields below the resolved one need, as far as the request's caller may see them.
 *
 * @throws {DirectiveError} `INVALID_COLUMNS`
 */
export function columnsFor(
  request: Omit<Call, 'columns'>,
  mapping: ColumnMapping,
  path: string,
): readonly RequestedColumn[] {
  const call = { ...request, columns: new Map<string, RequestedColumn>() };
  const { always, place } = compiledMapping(call, mapping);
  const { types, nodes } = rowsAt(call, path);
  const rowTypes = place.types.filter((type) => types.includes(type));
  if (rowTypes.length === 0) {
    const { parentType, fieldName } = call.info;
    throw invalid(
      `${parentType.name}.${fieldName}`,
      `returns no ${mapping.type}${path === '' ? '; give the path to it, for example "edges.node"' : ` at "${path}"`}`,
    );
  }
  for (const source of always) addWhole(call, source);
  addPlace(call, place, rowTypes, nodes);
  return Object.freeze([...call.columns.values()]);
}

function compiledMapping({ info, state }: Call, mapping: ColumnMapping): CompiledMapping {
  const ofSchema = compiledMappings.get(info.schema) ?? new WeakMap<ColumnMapping, CompiledMapping>();
  compiledMappings.set(info.schema, ofSchema);
  const compiled =
    ofSchema.get(mapping) ?? compileMapping(mapping, { schema: info.schema, compiled: state.compiled });
  ofSchema.set(mapping, compiled);
  return compiled;
}

interface Rows {
  readonly types: readonly GraphQLObjectType[];
  readonly nodes: readonly FieldNode[];
}

/** The fields that return the rows, and the types of these. */
function rowsAt({ info, state }: Call, path: string): Rows {
  let rows: Rows = {
    types: objectTypesOf(getNamedType(info.returnType), info.schema),
    nodes: info.fieldNodes,
  };
  for (const name of path === '' ? [] : path.split('.')) {
    const types = new Set<GraphQLObjectType>();
    const nodes = new Set<FieldNode>();
    for (const type of rows.types) {
      const field = type.getFields()[name];
      if (field === undefined) continue;
      for (const returned of objectTypesOf(getNamedType(field.type), info.schema)) types.add(returned);
      if (!isPermitted(state, planOf(state, type, name))) continue;
      for (const node of selectedFields(type, rows.nodes, info).get(name) ?? []) nodes.add(node);
    }
    rows = { types: [...types], nodes: [...nodes] };
  }
  return rows;
}

function addPlace(
  call: Call,
  { fields, below, needed }: CompiledPlace,
  types: readonly GraphQLObjectType[],
  nodes: readonly FieldNode[],
): void {
  const { info, state } = call;
  const nested = new Map<string, Set<FieldNode>>();
  for (const type of types) {
    const selected = selectedFields(type, nodes, info);
    for (const source of needed.get(type) ?? []) addWhole(call, source);
    for (const [name, { sources, isValue }] of fields) {
      if (!selected.has(name)) continue;
      addField(call, type, name, { sources, isValue });
    }
    for (const name of below.keys()) {
      if (!isPermitted(state, planOf(state, type, name))) continue;
      const all = nested.get(name) ?? new Set<FieldNode>();
      for (const node of selected.get(name) ?? []) all.add(node);
      nested.set(name, all);
    }
  }
  for (const [name, place] of below) {
    const selecting = [...(nested.get(name) ?? [])];
    if (selecting.length > 0) addPlace(call, place, place.types, selecting);
  }
}

function addField(
  call: Call,
  type: GraphQLObjectType,
  name: string,
  { sources, isValue }: FieldSources,
): void {
  const coordinate = `${type.name}.${name}`;
  const field = type.getFields()[name];
  if (field === undefined) {
    if (name === '__typename') for (const source of sources) addWhole(call, source);
    return;
  }
  const plan = planOf(call.state, type, name);
  if (!isPermitted(call.state, plan)) return;
  const minimize = statementInForce(call.state, plan);
  const isRedacted = minimize?.to === 'REDACT' && !isList(field.type);
  const constant = isRedacted ? redactedValue(field.type, coordinate) : undefined;
  // Nothing of the value is returned, not even whether there is one.
  if (constant === null) return;
  for (const source of sources) {
    const isWhole = minimize === undefined || (!isValue && !isRedacted);
    addColumn(call.columns, {
      ...source,
      coordinates: [coordinate],
      minimize: isWhole ? undefined : minimize,
      constant: constant as RequestedColumn['constant'],
    });
  }
}

function addWhole({ columns }: Call, source: Source): void {
  addColumn(columns, { ...source, coordinates: [] });
}

function planOf(
  { compiled }: RequestState,
  type: GraphQLObjectType,
  name: string,
): FieldDecisions | undefined {
  return compiled.plans.get(`${type.name}.${name}`);
}

/** A field without a plan is federation's own, which has no row. */
function isPermitted(state: RequestState, plan: FieldDecisions | undefined): boolean {
  return plan !== undefined && (!state.compiled.isEnforced || state.permits(plan.requirementIndex));
}

function statementInForce(
  state: RequestState,
  plan: FieldDecisions | undefined,
): RequestedColumn['minimize'] {
  const { compiled } = state;
  if (plan?.minimization === undefined || !compiled.isEnforced) return undefined;
  const { index } = plan.minimization;
  const statement = compiled.minimizations[index]?.statements[state.statementOf(index) ?? -1];
  if (statement === undefined || statement.to === 'KEEP') return undefined;
  const { unless: _held, level: _inForce, ...strategy } = statement;
  return strategy;
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}
