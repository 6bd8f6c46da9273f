import ts from 'typescript';
import { expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';

/** Compiles a text as a CommonJS module of a project whose resolution is `nodenext`. */
function problemsOf(text: string): readonly string[] {
  const file = projectPath('test', 'commonjs-user.cts');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.fileExists = (name) => name === file || onDisk.fileExists(name);
  host.readFile = (name) => (name === file ? text : onDisk.readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, text, {
          languageVersion: ts.ScriptTarget.ES2022,
          impliedNodeFormat: ts.ModuleKind.CommonJS,
        })
      : onDisk.getSourceFile(name, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

it('CommonJS code with Apollo Server can use the plugins of gateway and subgraph', () => {
  const text = `
    import { ApolloServer } from '@apollo/server';
    import { protectedSubgraphPlugin } from '@behalf/directives';
    import type { GatewayContext, ProtectedGateway } from '@behalf/gateway';
    import type { GraphQLSchema } from 'graphql';
    export function serverOf(gateway: ProtectedGateway): ApolloServer<GatewayContext> {
      const plugins = [gateway.limitsPlugin()];
      return new ApolloServer<GatewayContext>({ gateway, documentStore: gateway.documents, plugins });
    }
    export const subgraphOf = (schema: GraphQLSchema) => new ApolloServer({ schema, plugins: [protectedSubgraphPlugin(schema)] });
  `;
  expect(problemsOf(text)).toEqual([]);
  expect(problemsOf(`${text} export const wrong: number = 'text';`)).toHaveLength(1);
}, 60_000);
