import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { documentedFences, type Fence } from './fences.js';
import { entries, publicEntries, publicSymbols, undocumented } from './public-symbols.js';

// Every symbol that a published package exports has a docblock, and an example if it can be called, made or used as a value.
// These examples compile, and so does every ```ts fence of a document.

const TIMEOUT_MS = 120_000;

const { config } = ts.readConfigFile(projectPath('tsconfig.base.json'), (file) => ts.sys.readFile(file)) as {
  config: { compilerOptions: Record<string, unknown> };
};
const options: ts.CompilerOptions = {
  ...ts.convertCompilerOptionsFromJson(config.compilerOptions, projectPath()).options,
  composite: false,
  declaration: false,
  noEmit: true,
  resolveJsonModule: true,
  // Sources, so that nothing depends on what was built last.
  paths: Object.fromEntries([...entries].map(([name, file]) => [name, [file]])),
};
const program = ts.createProgram([...publicEntries.values()], options);
const symbols = publicSymbols(program);

/** Compiles each example as a module of its own, which resolves packages as a file in the root folder would. */
function problemsOf(examples: readonly Fence[]): string[] {
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
      if (example === undefined)
        return program.getSourceFile(file) ?? base.getSourceFile(file, language, ...more);
      // One without imports is a module all the same, so that its names meet no others'.
      return ts.createSourceFile(file, `${example.text}\nexport {};\n`, language);
    },
  };
  const compiled = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([file, { place, text }]) => {
    const source = compiled.getSourceFile(file);
    const diagnostics = [
      ...compiled.getSyntacticDiagnostics(source),
      ...compiled.getSemanticDiagnostics(source),
    ];
    return diagnostics.map(
      ({ messageText }) => `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}\n${text}`,
    );
  });
}

describe('docblocks of public symbols', () => {
  it('every public symbol has a docblock, and every value an example that imports it', () => {
    expect(symbols.length).toBeGreaterThan(0);
    expect(undocumented(symbols)).toEqual([]);
  });

  it('a symbol without docblock or example is found', () => {
    const bare = { entry: '@behalf/gateway', name: 'bare', isValue: true, isDocumented: false, examples: [] };
    expect(undocumented([bare])).toEqual([
      '@behalf/gateway bare has no docblock',
      '@behalf/gateway bare has no @example',
    ]);
    const unfenced = { place: 'bare', info: '', text: "bare('without its import')" };
    expect(undocumented([{ ...bare, isDocumented: true, examples: [unfenced] }])).toEqual([
      '@behalf/gateway bare has an @example outside of a ```ts fence',
      '@behalf/gateway bare has no @example that imports it',
    ]);
  });
});

describe('examples', () => {
  it('every example of a document and of a docblock compiles', { timeout: TIMEOUT_MS }, async () => {
    const documented = await documentedFences();
    const documents = documented.filter(({ info }) => info === 'ts');
    expect(documents.length).toBeGreaterThan(0);
    const exported = new Map(
      symbols.flatMap(({ examples }) => examples.map((each) => [each.text, each] as const)),
    );
    expect(problemsOf([...documents, ...exported.values()])).toEqual([]);
  });

  it('no example of a document is excused from compiling', async () => {
    const excused = (await documentedFences()).filter(({ info }) => /^(ts|typescript)\b./.test(info));
    expect(excused.map(({ place }) => place)).toEqual([]);
  });

  it('an example that does not compile is found', { timeout: TIMEOUT_MS }, () => {
    const good = "import { jsonLog } from '@behalf/gateway';\njsonLog('warn').log('info', 'REVOKED');";
    expect(problemsOf([{ place: 'good', info: 'ts', text: good }])).toEqual([]);
    const bad = good.replace("'warn'", "'loud'");
    expect(problemsOf([{ place: 'bad', info: 'ts', text: bad }])).toEqual([
      expect.stringMatching(/^bad: .*"loud"/),
    ]);
  });
});
