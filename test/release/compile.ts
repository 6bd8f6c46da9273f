import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';

/** Every way to resolve modules in which the packages, which are ESM only, can be used. */
const SUPPORTED: Readonly<Record<string, ts.CompilerOptions>> = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  node16: { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
};

/**
 * Compiles entries in a project that has `@types/node` and nothing else of `@types`, with the checks of declarations that
 * TypeScript does unless it is told not to.
 *
 * @returns the first problem of each way to resolve modules
 */
export async function compileProblems(
  project: string,
  specifiers: readonly string[],
): Promise<readonly string[]> {
  const file = join(project, 'every-entry.ts');
  const lines = specifiers.map((specifier, n) => `import * as x${n} from '${specifier}';`);
  await writeFile(file, `${lines.join('\n')}\nexport { ${specifiers.map((_, n) => `x${n}`).join(', ')} };\n`);
  return Object.entries(SUPPORTED).flatMap(([name, resolution]) => {
    const program = ts.createProgram([file], {
      ...resolution,
      target: ts.ScriptTarget.ES2022,
      types: ['node'],
      typeRoots: [join(project, 'node_modules/@types')],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    });
    const [first] = ts.getPreEmitDiagnostics(program);
    return first === undefined ? [] : [`${name}: ${textOf(first, project)}`];
  });
}

function textOf({ file, code, messageText }: ts.Diagnostic, project: string): string {
  const where = file?.fileName.replace(`${project}/`, '') ?? 'tsc';
  return `${where}: TS${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
}
