import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';

// Examples compile: those after `@example` in docblocks of exports, and every ```ts fence of a document that is not marked as a
// ```ts fragment.

/** The imports of examples, and their place in this repository. */
const MODULES: Readonly<Record<string, string>> = {
  '@behalf/audit': 'audit/index.ts',
  '@behalf/authority': 'authority/index.ts',
  '@behalf/directives': 'directives/src/index.ts',
  '@behalf/audit/postgres': 'audit/postgres.ts',
  '@behalf/authority/clients': 'authority/clients/index.ts',
  '@behalf/authority/consent': 'authority/consent/index.ts',
  '@behalf/gateway': 'gateway/index.ts',
  '@behalf/gateway/tools': 'gateway/tools.ts',
  '@behalf/http': 'http/index.ts',
  '@behalf/policy': 'policy/index.ts',
  '@behalf/store': 'store/index.ts',
};
const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.behalf', 'decisions']);

interface Example {
  /** Its place in the source, for error messages. */
  readonly place: string;
  readonly text: string;
}

const { config } = ts.readConfigFile(projectPath('tsconfig.base.json'), (file) => ts.sys.readFile(file)) as {
  config: { compilerOptions: Record<string, unknown> };
};
const options: ts.CompilerOptions = {
  ...ts.convertCompilerOptionsFromJson(config.compilerOptions, projectPath()).options,
  composite: false,
  declaration: false,
  noEmit: true,
  paths: Object.fromEntries(Object.entries(MODULES).map(([name, file]) => [name, [projectPath(file)]])),
};

const FENCE = /^( *)```ts *\n([\s\S]*?)^ *```$/gm;

function fencesIn(place: string, text: string): Example[] {
  return [...text.matchAll(FENCE)].map(([, indent = '', code = ''], index) => ({
    place: `${place}, example ${index + 1}`,
    text: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

async function documentedExamples(folder = projectPath()): Promise<Example[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter(({ name }) => !NOT_OURS.has(name))
    .map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return documentedExamples(path);
      if (!entry.name.endsWith('.md')) return [];
      return fencesIn(relative(projectPath(), path), await readFile(path, 'utf8'));
    });
  return (await Promise.all(found)).flat();
}

/** The examples of each export of a package, including members of classes and interfaces. */
function exportedExamples(program: ts.Program): Example[] {
  const checker = program.getTypeChecker();
  return Object.entries(MODULES).flatMap(([name, file]) => {
    const source = program.getSourceFile(projectPath(file));
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${name} has no ${file}`);
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      return [symbol, ...(symbol.members?.values() ?? [])].flatMap((each) =>
        each
          .getJsDocTags(checker)
          .filter((tag) => tag.name === 'example')
          .flatMap((tag) => fencesIn(`${name} ${each.name}`, `${ts.displayPartsToString(tag.text)}\n`)),
      );
    });
  });
}

/** Compiles each as its own module, resolved from the root folder. */
function problemsOf(examples: readonly Example[], old: ts.Program): string[] {
  const files = new Map(
    examples.map((example, index) => [projectPath(`example-${index}.ts`), example] as const),
  );
  const base = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...base,
    fileExists: (file) => files.has(file) || base.fileExists(file),
    readFile: (file) => files.get(file)?.text ?? base.readFile(file),
    getSourceFile(file, language, ...more) {
      const example = files.get(file);
      if (example === undefined) return base.getSourceFile(file, language, ...more);
      // Makes an example without imports a module, so that its names are its own.
      return ts.createSourceFile(file, `${example.text}\nexport {};\n`, language);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host, old);
  return [...files].flatMap(([file, { place, text }]) => {
    const source = program.getSourceFile(file);
    const diagnostics = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return diagnostics.map(
      ({ messageText }) => `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}\n${text}`,
    );
  });
}

const program = ts.createProgram(
  Object.values(MODULES).map((file) => projectPath(file)),
  options,
);

it('every example of a document and of an exported docblock compiles', { timeout: 120_000 }, async () => {
  const exported = exportedExamples(program);
  expect(exported.length).toBeGreaterThan(0);
  const examples = [...(await documentedExamples()), ...exported];
  expect(problemsOf(examples, program)).toEqual([]);
});

it('an example that does not compile is reported', { timeout: 120_000 }, () => {
  const good = "import { jsonLog } from '@behalf/gateway';\njsonLog('warn').log('info', 'REVOKED');";
  expect(problemsOf([{ place: 'good', text: good }], program)).toEqual([]);
  const bad = good.replace("'warn'", "'loud'");
  expect(problemsOf([{ place: 'bad', text: bad }], program)).toEqual([
    expect.stringMatching(/^bad: .*"loud"/),
  ]);
});
