import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { type Fence, fencesIn } from './fences.js';

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly workspaces?: readonly string[];
  readonly exports?: Readonly<Record<string, string | { readonly types: string }>>;
}

/** What can be imported from the packages, `@behalf/gateway/tools` for one, and the source that it is built from. */
export const entries: ReadonlyMap<string, string> = new Map(
  (readManifest('').workspaces ?? []).flatMap((folder) => {
    const { name, exports = {} } = readManifest(folder);
    return Object.entries(exports).flatMap(([key, target]) => {
      if (typeof target === 'string') return [];
      const sources = folder === 'directives' ? `${folder}/src/` : `${folder}/`;
      const source = target.types.replace('./dist/', sources).replace(/\.d\.ts$/, '.ts');
      return [[`${name}${key.slice(1)}`, projectPath(source)] as const];
    });
  }),
);

/** `internal` entries are for Behalf's own packages; the example is not published. */
export const publicEntries = new Map(
  [...entries].filter(([name]) => !name.includes('/internal') && name !== '@behalf/example'),
);

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(projectPath(folder, 'package.json'), 'utf8')) as Manifest;
}

export interface PublicSymbol {
  readonly entry: string;
  readonly name: string;
  /** Whether it exists at run time: a function, a class or a constant that can be used, not only named as a type. */
  readonly isValue: boolean;
  readonly isDocumented: boolean;
  readonly examples: readonly Fence[];
}

/** Everything that the public entries export. */
export function publicSymbols(program: ts.Program): PublicSymbol[] {
  const checker = program.getTypeChecker();
  return [...publicEntries].flatMap(([entry, file]) => {
    const source = program.getSourceFile(file);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${entry} has no ${file}`);
    return checker.getExportsOfModule(module).map((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      return {
        entry,
        name: exported.name,
        isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(exported),
        isDocumented: symbol.getDocumentationComment(checker).length > 0,
        examples: examplesOf(symbol, `${entry} ${exported.name}`, checker),
      };
    });
  });
}

function isTypeOnly({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((declaration) => ts.isTypeOnlyImportOrExportDeclaration(declaration));
}

/** Those of the symbol itself, and of the members of a class or an interface. */
function examplesOf(symbol: ts.Symbol, place: string, checker: ts.TypeChecker): Fence[] {
  return [symbol, ...(symbol.members?.values() ?? [])].flatMap((each) =>
    each
      .getJsDocTags(checker)
      .filter((tag) => tag.name === 'example')
      .flatMap((tag) => {
        const text = ts.displayPartsToString(tag.text);
        const fences = fencesIn(each === symbol ? place : `${place}.${each.name}`, `${text}\n`);
        return fences.length > 0 ? fences : [{ place, info: '', text }];
      }),
  );
}

/** What somebody who reads the package's types would miss, one line each. */
export function undocumented(symbols: readonly PublicSymbol[]): string[] {
  return symbols.flatMap(({ entry, name, isValue, isDocumented, examples }) => {
    const problems = [];
    if (!isDocumented) problems.push('has no docblock');
    if (isValue && examples.length === 0) problems.push('has no @example');
    if (examples.some(({ info }) => info !== 'ts')) problems.push('has an @example outside of a ```ts fence');
    if (isValue && examples.length > 0 && !examples.some(({ text }) => importsName(text, name)))
      problems.push('has no @example that imports it');
    return problems.map((problem) => `${entry} ${name} ${problem}`);
  });
}

function importsName(example: string, name: string): boolean {
  const imports = example.matchAll(/^import (?:type )?\{([^}]*)\} from '(@behalf\/[^']+)'/gm);
  return [...imports].some(
    ([, names = '', entry = '']) =>
      publicEntries.has(entry) && names.split(',').some((each) => each.trim().replace(/^type /, '') === name),
  );
}
