import tseslint from 'typescript-eslint';

/** Syntax that the house style has another form for. Each names that form, because it is what one reads when it is refused. */
const DIALECT = [
  {
    // TypeScript's `private` is gone at run time. Constructors keep it: JavaScript has no private ones.
    selector:
      ':matches(PropertyDefinition, AccessorProperty, TSParameterProperty, MethodDefinition[kind!="constructor"])[accessibility="private"]',
    message: 'Use a #private member.',
  },
  { selector: 'ExportDefaultDeclaration', message: 'Export it by its name.' },
  {
    // HttpError carries OAuth's own codes, which RFC 6749 writes in lower case.
    selector:
      'NewExpression[callee.name=/Error$/][callee.name!="HttpError"] > Literal:first-child[value=/^[a-z]+(_[a-z]+)+$/]',
    message: 'Write error codes in UPPER_SNAKE case.',
  },
  {
    // The registries of errors (ErrorDescription by code).
    selector:
      'VariableDeclarator[id.name=/Errors$/] TSSatisfiesExpression > ObjectExpression > Property > Identifier.key[name=/[a-z]/]',
    message: 'Write error codes in UPPER_SNAKE case.',
  },
  {
    selector:
      'TSTypeAliasDeclaration[id.name=/Code$/]:not([id.name=/^OAuth/]) > TSUnionType > TSLiteralType > Literal[value=/[a-z]/]',
    message: 'Write codes in UPPER_SNAKE case.',
  },
  {
    selector:
      ':matches(Program, ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator[id.name=/^(max|min|default)[A-Z]/][init.type=/^(Literal|BinaryExpression)$/]',
    message: 'Write constants in UPPER_SNAKE case.',
  },
];

/** Only for the product: tests build objects that may hold anything. */
const PRODUCT_DIALECT = [
  {
    selector:
      'ObjectExpression > SpreadElement > :matches(ConditionalExpression:has(> ObjectExpression[properties.length=0]), LogicalExpression[operator="&&"])',
    message:
      'Write the member with undefined as its value, and let its type take undefined. Where it must not exist, use withoutUndefined of @behalf/directives/internal, or assign it when there is a value.',
  },
];

/** The time comes from a Clock (directives/src/clock.ts), so that tests need not wait for it. */
const TIME_OF_DAY_DIALECT = [
  {
    selector:
      ':matches(MemberExpression[object.name="Date"][property.name="now"], NewExpression[callee.name="Date"][arguments.length=0])',
    message: 'Ask a Clock: clock.now(), milliseconds since the epoch.',
  },
];
const TIMER_DIALECT = [
  {
    selector:
      ':matches(MemberExpression[object.name="performance"][property.name=/^(now|timeOrigin)$/], MemberExpression[object.name="process"][property.name="hrtime"])',
    message: 'Ask a Clock: clock.monotonic(), or steadyTime(clock) for milliseconds since the epoch.',
  },
  {
    selector:
      ':matches(CallExpression[callee.name=/^(setTimeout|setInterval)$/], ImportDeclaration[source.value=/^(node:)?timers/] > ImportSpecifier[imported.name=/^(setTimeout|setInterval|scheduler)$/])',
    message: 'Let a Clock wait: clock.after, clock.sleep or every(clock, …).',
  },
];

/** They read the machine's own time. */
const WITHOUT_CLOCK = [
  'directives/src/clock.ts',
  // These import no other package. Where tests have to advance the time, http takes it from its caller.
  'http/timers.ts',
  // They wait for a process of the database to start or end.
  'store/embedded/**',
  // An example that starts and asks other processes.
  'subgraphs/bank/**',
];

/** Tests wait for states, and let time pass by a clock of theirs. */
const WAIT_DIALECT = [
  {
    selector:
      ':matches(CallExpression[callee.name="setTimeout"], CallExpression > MemberExpression.callee[object.name="systemClock"][property.name="sleep"], ImportDeclaration[source.value=/^(node:)?timers/] > ImportSpecifier[imported.name=/^(setTimeout|scheduler)$/])',
    message:
      'Wait for a state with `until`, or advance a ManualClock; `pause` is for what must not happen (test/support/wait.ts).',
  },
];

/** The only ones in test/ that wait for time to pass. */
const WAITING = ['test/support/wait.ts', 'test/support/manual-clock.ts'];

const TEST_DIALECT = [
  {
    selector:
      'CallExpression > MemberExpression.callee[object.name=/^(it|describe)$/][property.name=/^(only|skip|todo|fails)$/]',
    message: 'Run every test, or state with skipIf or runIf when it cannot run.',
  },
];

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      'node_modules/**',
      '.behalf/**',
      '.mutation/**',
      '*.js',
      '**/vitest.config.js',
      '**/bin.js',
      'cli/templates/**',
      // Runs in a browser, whose types the tests do not have.
      'test/e2e/page/**',
      // Programs of other teams, with packages that are not installed here.
      'test/adoption/federation/**',
      'test/adoption/subgraphs/**',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // All lines count, blank ones and comments too, as an editor numbers them.
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 60, IIFEs: true }],
      'no-restricted-syntax': ['error', ...DIALECT],
      // Numbers and booleans in messages are meant; objects in them are still refused.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Runs into endless recursion on graphql's mutually recursive types (typescript-eslint 8.73).
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // Resolvers, middleware and interface methods are often async by contract, without an await of their own.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      // With verbatimModuleSyntax, `import { type A }` still loads the module.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: ['bench/**', 'test/**'],
    rules: { 'no-restricted-syntax': ['error', ...DIALECT, ...PRODUCT_DIALECT] },
  },
  {
    files: ['**/*.ts'],
    ignores: ['bench/**', 'test/**', ...WITHOUT_CLOCK],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...DIALECT,
        ...PRODUCT_DIALECT,
        ...TIME_OF_DAY_DIALECT,
        ...TIMER_DIALECT,
      ],
    },
  },
  {
    // oidc-provider asks the machine when its tokens end, and the database its own clock (decision 35): another time of day beside
    // them would be a third.
    files: ['authority/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...DIALECT, ...PRODUCT_DIALECT, ...TIMER_DIALECT] },
  },
  {
    files: ['test/**/*.ts'],
    ignores: WAITING,
    rules: { 'no-restricted-syntax': ['error', ...DIALECT, ...WAIT_DIALECT] },
  },
  {
    files: ['**/*.test.ts'],
    rules: {
      // A test file holds every case of one behaviour or specification after their common setup, and a `describe` holds
      // its cases: neither is read from top to bottom as code is.
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'no-restricted-syntax': ['error', ...DIALECT, ...WAIT_DIALECT, ...TEST_DIALECT],
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'vitest', importNames: ['test'], message: 'Use `it`.' }] },
      ],
    },
  },
);
