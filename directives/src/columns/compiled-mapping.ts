import { getNamedType, isLeafType } from 'graphql';
import type { GraphQLObjectType, GraphQLSchema } from 'graphql';
import { keyFieldsOf } from '../enforce/entity-key.js';
import type { CompiledProtection } from '../enforce/request-state.js';
import { DirectiveError } from '../errors.js';
import { nearest } from '../nearest.js';
import type { ColumnMapping, ColumnSource, ColumnsOfField, ColumnType } from './column-mapping.js';
import { objectTypesOf } from './selected-fields.js';

/** A column with its property, as a mapping states them. */
export interface Source {
  readonly column: string;
  readonly table: string | undefined;
  readonly property: string;
  readonly type: ColumnType | undefined;
}

export interface FieldSources {
  readonly sources: readonly Source[];
  /** Whether the one source is the field's value, and not what its resolver computes the value from. */
  readonly isValue: boolean;
}

/** The columns for the fields of the types that objects at one place have. */
export interface CompiledPlace {
  readonly types: readonly GraphQLObjectType[];
  readonly fields: ReadonlyMap<string, FieldSources>;
  /** Fields whose objects are read from the same row. */
  readonly below: ReadonlyMap<string, CompiledPlace>;
  /** By type: whose the row is, and the key that noise is drawn from, which no selection may change. */
  readonly needed: ReadonlyMap<GraphQLObjectType, readonly Source[]>;
}

export interface CompiledMapping {
  readonly always: readonly Source[];
  readonly place: CompiledPlace;
}

export interface MappedSchema {
  readonly schema: GraphQLSchema;
  readonly compiled: CompiledProtection;
}

/** Parts of the paths in a mapping. */
interface Branch {
  own?: ColumnsOfField;
  readonly below: Map<string, Branch>;
}

/**
 * Resolves a mapping against the schema. Every field of its types must have columns, also those that this operation does not
 * select, so that a forgotten one is found at once.
 *
 * @throws {DirectiveError} `INVALID_COLUMNS`
 */
export function compileMapping(mapping: ColumnMapping, mapped: MappedSchema): CompiledMapping {
  const types = objectTypesOf(mapped.schema.getType(mapping.type), mapped.schema);
  if (types.length === 0) throw invalid(mapping.type, 'is no object type, interface or union of the schema');
  const always = (mapping.always ?? []).map((stated) => sourceOf(stated, undefined));
  const place = placeOf(types, branchesOf(mapping), { ...mapped, mapping, always, path: '' });
  refuseAmbiguous([...always, ...sourcesIn(place)], mapping);
  return { always, place };
}

function sourcesIn({ fields, below, needed }: CompiledPlace): readonly Source[] {
  const own = [...fields.values()].flatMap(({ sources }) => sources);
  return [...own, ...[...needed.values()].flat(), ...[...below.values()].flatMap(sourcesIn)];
}

/** A row has one value for each property. */
function refuseAmbiguous(sources: readonly Source[], { type }: ColumnMapping): void {
  const byProperty = new Map<string, Source>();
  for (const source of sources) {
    const { property, column, table } = source;
    const other = byProperty.get(property) ?? source;
    byProperty.set(property, other);
    if (other.column === column && other.table === table) continue;
    const names = `${JSON.stringify(other.column)} and ${JSON.stringify(column)}`;
    throw invalid(type, `the columns ${names} would both be the property ${property}; name one by as`);
  }
}

interface PlaceInput extends MappedSchema {
  readonly mapping: ColumnMapping;
  readonly always: readonly Source[];
  /** Of the place, with its dot. */
  readonly path: string;
}

function branchesOf({ columns }: ColumnMapping): Branch {
  const root: Branch = { below: new Map() };
  for (const [path, stated] of Object.entries(columns)) {
    let branch = root;
    for (const name of path.split('.')) {
      const next = branch.below.get(name) ?? { below: new Map<string, Branch>() };
      branch.below.set(name, next);
      branch = next;
    }
    branch.own = stated;
  }
  return root;
}

function placeOf(types: readonly GraphQLObjectType[], { below }: Branch, input: PlaceInput): CompiledPlace {
  refuseUnknown(types, below, input);
  const fields = new Map<string, FieldSources>();
  const places = new Map<string, CompiledPlace>();
  for (const [name, branch] of below) {
    if (branch.own !== undefined) fields.set(name, fieldSources(branch.own, name));
    if (branch.below.size === 0) continue;
    const returned = new Set(
      types.flatMap((type) => {
        const field = type.getFields()[name];
        return field === undefined ? [] : objectTypesOf(getNamedType(field.type), input.schema);
      }),
    );
    places.set(name, placeOf([...returned], branch, { ...input, path: `${input.path}${name}.` }));
  }
  for (const type of types) nameOthers(type, fields, places, input);
  const all = [...input.always, ...[...fields.values()].flatMap(({ sources }) => sources)];
  return {
    types,
    fields,
    below: places,
    needed: new Map(types.map((type) => [type, neededOf(type, all, input)])),
  };
}

/** Names the columns of fields that the mapping does not mention. */
function nameOthers(
  type: GraphQLObjectType,
  fields: Map<string, FieldSources>,
  places: ReadonlyMap<string, CompiledPlace>,
  { mapping, path }: PlaceInput,
): void {
  for (const { name, type: returned } of Object.values(type.getFields())) {
    if (fields.has(name) || places.has(name)) continue;
    const coordinate = `${type.name}.${name}`;
    const key = JSON.stringify(path + name);
    if (!isLeafType(getNamedType(returned)))
      throw invalid(
        coordinate,
        `has no columns; write ${key}: [] if its resolver needs none of the row, ${key}: ['…'] with those that it needs, or ${JSON.stringify(`${path}${name}.…`)} for fields of the same row`,
      );
    if (mapping.column === undefined)
      throw invalid(
        coordinate,
        `has no column; write ${key}: '…' if a column has its value, ${key}: ['…'] with those that its resolver computes it from, or ${key}: []`,
      );
    fields.set(name, fieldSources(mapping.column(name), name));
  }
}

/** A misspelt key would leave a field without its column. */
function refuseUnknown(
  types: readonly GraphQLObjectType[],
  below: ReadonlyMap<string, Branch>,
  { path }: PlaceInput,
): void {
  const known = types.flatMap((type) => Object.keys(type.getFields()));
  const place = types.map(({ name }) => name).join(' | ');
  for (const name of below.keys()) {
    if (name === '__typename' || known.includes(name)) continue;
    const meant = nearest(name, known);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw invalid(`${path}${name}`, `is no field of ${place}${hint}`);
  }
}

function neededOf(
  type: GraphQLObjectType,
  all: readonly Source[],
  { compiled, mapping }: PlaceInput,
): readonly Source[] {
  const ofType = Object.keys(type.getFields()).flatMap(
    (name) => compiled.plans.get(`${type.name}.${name}`) ?? [],
  );
  const owner = ofType.find(({ rowOwner }) => rowOwner !== undefined)?.rowOwner;
  const hasNoise = ofType
    .flatMap(({ minimization }) => compiled.minimizations[minimization?.index ?? -1]?.statements ?? [])
    .some(({ to }) => to === 'NOISE');
  const properties = [
    ...(owner === undefined ? [] : [owner.property]),
    ...(hasNoise ? (keyFieldsOf(type) ?? []) : []),
  ];
  return properties.map((property) => {
    const found = all.find((source) => source.property === property);
    if (found !== undefined) return found;
    if (mapping.column !== undefined) return sourceOf(mapping.column(property), property);
    throw invalid(
      type.name,
      `needs the property ${property} of each row for its directives; write always: [{ column: '…', as: '${property}' }]`,
    );
  });
}

function fieldSources(stated: ColumnsOfField, name: string): FieldSources {
  if (isList(stated)) return { sources: stated.map((source) => sourceOf(source, undefined)), isValue: false };
  return { sources: [sourceOf(stated, name)], isValue: true };
}

function isList(stated: ColumnsOfField): stated is readonly (string | ColumnSource)[] {
  return Array.isArray(stated);
}

/** @param field whose value the column has, if it has one's */
function sourceOf(stated: string | ColumnSource, field: string | undefined): Source {
  const { column, table, as, type } = typeof stated === 'string' ? { column: stated } : stated;
  return { column, table, property: as ?? field ?? column, type };
}

export function invalid(coordinate: string, problem: string): DirectiveError {
  return new DirectiveError('INVALID_COLUMNS', problem, coordinate);
}
