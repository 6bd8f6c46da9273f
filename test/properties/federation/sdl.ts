import type { Choices } from './choices.js';
import { allOf, rule, written } from './rule.js';
import type { Rule } from './rule.js';
import { IMPLEMENTERS, namedType } from './shape.js';
import type { FieldShape, Shape } from './shape.js';

const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@requiresScopes", "@authenticated", "@policy"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@purpose"])`;

/** The rules by subgraph and by coordinate or type. */
export interface PlacedRules {
  /** Every subgraph states all rules of what it has. */
  readonly isUniform: boolean;
  at(graph: string, place: string): Rule;
}

/** Puts rules on a shape. In a uniform one all subgraphs state the same for a field; otherwise each states its own, or none. */
export function drawRules(choices: Choices, shape: Shape): PlacedRules {
  const isUniform = choices.oneIn(2);
  const oneInFields = 3 + choices.below(5);
  const placed = new Map<string, Rule>();

  const place = (coordinate: string, graphs: Iterable<string>, oneIn: number): void => {
    const first = choices.oneIn(oneIn) ? rule(choices) : {};
    for (const graph of graphs) {
      const other: Rule = isUniform || choices.oneIn(2) ? first : choices.oneIn(oneIn) ? rule(choices) : {};
      // Two purposes of one field do not compose: a subgraph states the first or none.
      const { purposes: _, ...standard } = other;
      placed.set(`${graph} ${coordinate}`, other === first ? first : standard);
    }
  };

  for (const type of ['V', 'P', ...shape.entities]) place(type, graphsKnowing(shape, type), 8);
  for (const type of ['E', 'S']) {
    const graphs = graphsKnowing(shape, type);
    const simple = choices.oneIn(3) ? ({ scope: ['s1'] } as const) : {};
    for (const graph of graphs) placed.set(`${graph} ${type}`, isUniform || choices.oneIn(2) ? simple : {});
  }
  if (choices.oneIn(6)) place('Mutation', shape.graphs, 2);
  for (const [type, fields] of shape.types) {
    for (const field of fields.values()) {
      if (field.requires !== undefined) continue;
      // Composition allows no rules on a field that is only mentioned.
      const own = [...field.graphs].flatMap(([graph, how]) => (how === 'own' ? [graph] : []));
      place(`${type}.${field.name}`, own, oneInFields);
    }
  }
  if (!isUniform && choices.oneIn(2)) {
    for (const graph of graphsKnowing(shape, 'I'))
      placed.set(`${graph} I.n`, { scope: [choices.of(['s1', 's2'])] });
  }
  // In the order of their dependencies.
  for (const name of ['r', 'rr']) {
    for (const type of shape.entities) {
      const field = shape.types.get(type)?.get(name);
      if (field?.requires === undefined) continue;
      const inputs = inputCoordinates(shape, type, field.requires);
      const asked = [...placed].flatMap(([at, each]) =>
        inputs.has(at.slice(at.indexOf(' ') + 1)) ? [each] : [],
      );
      const own = choices.oneIn(4) ? [rule(choices)] : [];
      for (const [graph, how] of field.graphs)
        if (how === 'own') placed.set(`${graph} ${type}.${name}`, allOf([...asked, ...own]));
    }
  }
  return { isUniform, at: (graph, coordinate) => placed.get(`${graph} ${coordinate}`) ?? {} };
}

function graphsKnowing(shape: Shape, type: string): string[] {
  return shape.graphs.filter((graph) => shape.knows(graph, type));
}

/** Fields, their return types, and the interface's field of the same name: all rules that composition considers. */
function inputCoordinates(shape: Shape, type: string, requires: string): ReadonlySet<string> {
  const names = requires
    .replaceAll(/\{[^}]*\}/g, '')
    .split(' ')
    .filter((name) => name !== '');
  const nested = /\{ (\w+) \}/.exec(requires)?.[1];
  return new Set([
    ...names.flatMap((name) => [
      `${type}.${name}`,
      `I.${name}`,
      namedType(shape.types.get(type)?.get(name)?.type ?? ''),
    ]),
    ...(nested === undefined ? [] : ['V', `V.${nested}`]),
  ]);
}

/** The schema of one subgraph. */
export function sdlOf(shape: Shape, rules: PlacedRules, graph: string): string {
  const at = (place: string): string => written(rules.at(graph, place));
  const types = [...shape.types].flatMap(([type, fields]) => {
    const lines = [...fields.values()].flatMap((field) => fieldLine(type, field));
    if (lines.length === 0) return [];
    const isInterface = (IMPLEMENTERS as readonly string[]).includes(type) && shape.knows(graph, 'I');
    const keys = shape.keysOf(type, graph).map((key) => `@key(fields: "${key}")`);
    const shared = type === 'V' ? '@shareable' : '';
    return [
      `type ${type}${isInterface ? ' implements I' : ''} ${keys.join(' ')} ${shared} ${at(type)} {\n  ${lines.join('\n  ')}\n}`,
    ];
  });
  const knows = (type: string): boolean => shape.knows(graph, type);
  return [
    LINKS,
    ...types,
    ...(knows('I')
      ? [
          `interface I { ${shape
            .interfaceFields(graph)
            .map((name) => `${name}: ${INTERFACE_TYPES[name] ?? 'ID!'} ${at(`I.${name}`)}`)
            .join(' ')} }`,
        ]
      : []),
    ...(knows('U') ? [`union U = ${shape.membersOf('U', graph).join(' | ')}`] : []),
    ...(knows('E') ? [`enum E ${at('E')} { ONE TWO }`] : []),
    ...(knows('S') ? [`scalar S ${at('S')}`] : []),
  ].join('\n');

  function fieldLine(type: string, field: FieldShape): string[] {
    const how = field.graphs.get(graph);
    if (how === undefined) return [];
    const isKey = shape.keysOf(type, graph).some((key) => key.split(' ').includes(field.name));
    const isShared = [...field.graphs.values()].filter((each) => each === 'own').length > 1;
    const provides = field.provides.get(graph);
    const isProvided = [...shape.types.values()].some((fields) =>
      [...fields.values()].some(
        (each) => namedType(each.type) === type && [...each.provides.values()].includes(field.name),
      ),
    );
    return [
      [
        `${field.name}${field.args}: ${field.type}`,
        how === 'external'
          ? '@external'
          : (isShared || isProvided) && !isKey && type !== 'V'
            ? '@shareable'
            : '',
        how === 'own' && field.requires !== undefined ? `@requires(fields: "${field.requires}")` : '',
        provides === undefined ? '' : `@provides(fields: "${provides}")`,
        at(`${type}.${field.name}`),
      ].join(' '),
    ];
  }
}

const INTERFACE_TYPES: Readonly<Record<string, string>> = { id: 'ID!', n: 'Int', next: 'I' };
