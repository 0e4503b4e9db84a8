/** A new package of the lowest layer: a function that means a list of numbers, its error, and all that a package needs around it. */
import { readText } from '../checks/workspace';
import { changeset, type Edit } from './edits';
import type { Name } from './name';

export function packageTemplate(name: Name): Edit[] {
  const { kebab, camel, pascal } = name;
  const folder = `packages/${kebab}`;
  const files = {
    'package.json': manifestText(name),
    'tsconfig.json': readText('packages/cyclic-mask/tsconfig.json'),
    'tsup.config.ts': readText('packages/cyclic-mask/tsup.config.ts'),
    LICENSE: readText('LICENSE'),
    'README.md': readmeText(name),
    'src/index.ts': `export { ${pascal}Error, type ${pascal}ErrorCode } from './errors';\nexport { ${camel} } from './${kebab}';\n`,
    'src/errors.ts': errorsText(name),
    [`src/${kebab}.ts`]: functionText(name),
    [`src/${kebab}.test.ts`]: testText(name),
  };
  return [
    ...Object.entries(files).map(([file, text]) => ({ path: `${folder}/${file}`, text })),
    { path: 'scripts/checks/layers.ts', before: `'tensor', `, text: `'${kebab}', ` },
    {
      path: 'README.md',
      before: '\n| [`@franca/viz`]',
      text: `\n| [\`@franca/${kebab}\`](${folder}) | the mean of numbers |`,
    },
    changeset(kebab, `@franca/${kebab}`, 'The mean of numbers.'),
  ];
}

const manifestText = ({ kebab }: Name): string => `{
  "name": "@franca/${kebab}",
  "version": "0.1.0",
  "description": "The mean of numbers",
  "keywords": ["mean"],
  "license": "Apache-2.0",
  "type": "module",
  "sideEffects": false,
  "exports": {
    ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" },
    "./package.json": "./package.json"
  },
  "files": ["dist", "README.md", "CHANGELOG.md"],
  "engines": { "node": ">=20.19" },
  "publishConfig": { "access": "public" },
  "scripts": { "build": "tsup" }
}
`;

const readmeText = ({ kebab, camel, pascal }: Name): string => `# @franca/${kebab}

The mean of numbers. Say here what it is, for whom, and from which paper.

\`\`\`sh
npm install @franca/${kebab}
\`\`\`

\`\`\`ts
import { ${camel} } from '@franca/${kebab}';

console.log(${camel}([1, 2, 6])); // 3
\`\`\`

| export | |
| --- | --- |
| \`${camel}(values)\` | their mean |
| \`${pascal}Error\` | \`code\`: \`empty\` |
`;

const errorsText = ({
  kebab,
  pascal,
}: Name): string => `/** The error of \`@franca/${kebab}\`: a code for programs, a message for people. */

/** What went wrong. */
export type ${pascal}ErrorCode = 'empty';

export class ${pascal}Error extends Error {
  readonly code: ${pascal}ErrorCode;

  constructor(code: ${pascal}ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = '${pascal}Error';
    this.code = code;
  }
}
`;

const functionText = ({ kebab, camel, pascal, words }: Name): string => `/**
 * The ${words} of numbers: 1/N sum_i x_i of [N]. Written by \`npm run new -- package ${kebab}\`: replace this paragraph by your formula, shapes and
 * source, and the function by your own.
 */
import { ${pascal}Error } from './errors';

/** The mean of \`values\`. Throws \`${pascal}Error\` (\`empty\`). */
export function ${camel}(values: readonly number[]): number {
  if (values.length === 0) throw new ${pascal}Error('empty', 'no values; give at least one');
  return values.reduce((total, value) => total + value, 0) / values.length;
}
`;

const testText = ({ kebab, camel }: Name): string => `import { expect, test } from 'vitest';
import { ${camel} } from './${kebab}';

test('the mean of numbers', () => {
  expect(${camel}([1, 2, 6])).toBe(3);
});

test('no numbers have no mean', () => {
  expect(() => ${camel}([])).toThrow(expect.objectContaining({ code: 'empty' }));
});
`;
