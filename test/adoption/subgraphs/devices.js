// A graphql-yoga subgraph whose schema Pothos makes. Pothos keeps directives in `extensions.directives`.
import { createServer } from 'node:http';
import { finishProtectedRequest, protectedContext, protectSchema } from '@behalf/directives';
import SchemaBuilder from '@pothos/core';
import DirectivesPlugin from '@pothos/plugin-directives';
import { createYoga } from 'graphql-yoga';

const devices = [
  { id: 'd-1', owner: 'alma', model: 'Phone 3', serial: 'SN-1234-5678', location: 'Helsinki' },
  { id: 'd-2', owner: 'bert', model: 'Watch 1', serial: 'SN-8765-4321', location: 'Tampere' },
];

const builder = new SchemaBuilder({ plugins: [DirectivesPlugin] });
const needs = (scope) => ({ requiresScope: { scope } });
const Device = builder.objectRef('Device').implement({
  directives: { subject: { field: 'owner' } },
  fields: (t) => ({
    id: t.exposeID('id', { directives: { public: {} } }),
    model: t.exposeString('model', { directives: needs('devices:read') }),
    serial: t.exposeString('serial', {
      nullable: true,
      directives: {
        ...needs('devices:read'),
        minimize: { to: 'MASK', last: 4, unless: [['devices:serial']] },
      },
    }),
    location: t.exposeString('location', { nullable: true, directives: needs('devices:location') }),
  }),
});
// What the gateway composes from. Behalf fills it in; nobody joins anything here, so there is no _entities.
const Service = builder.objectRef('_Service').implement({
  fields: (t) => ({ sdl: t.string({ resolve: () => '' }) }),
});
builder.queryType({
  fields: (t) => ({
    _service: t.field({ type: Service, resolve: () => ({}) }),
    devices: t.field({
      type: [Device],
      nullable: true,
      directives: needs('devices:read'),
      resolve: () => devices,
    }),
  }),
});

const schema = protectSchema(
  builder.toSchema({
    schemaDirectives: { link: { url: 'https://specs.apollo.dev/federation/v2.9' } },
  }),
  {
    name: 'devices',
    gateway: {
      issuer: 'http://127.0.0.1:4000',
      jwksUri: 'http://127.0.0.1:4000/.well-known/jwks.json',
    },
  },
);

/** Hands the gateway its account of what was read. */
const behalf = {
  onExecute: ({ args: { contextValue } }) => ({
    onExecuteDone({ result, setResult }) {
      const extensions = { ...result.extensions, behalf: finishProtectedRequest(schema, contextValue) };
      setResult({ ...result, extensions });
    },
  }),
};
const yoga = createYoga({
  schema,
  graphqlEndpoint: '/',
  plugins: [behalf],
  context: ({ request, params }) => protectedContext(schema, request, params),
});
createServer(yoga).listen(4001, '127.0.0.1', () => console.log('devices: http://127.0.0.1:4001/'));
