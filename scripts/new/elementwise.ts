/** A new elementwise op of `@franca/tensor`: x / (1 + |x|), an expression, a reference and a gradient to be replaced. */
import { changeset, type Edit } from './edits';
import { checkUnused, type Name } from './name';

const SOURCE = 'packages/tensor/src';

export function elementwiseTemplate({ kebab, camel }: Name): Edit[] {
  checkUnused(camel, `${SOURCE}/index.ts`);
  return [
    { path: `${SOURCE}/ops/elementwise.ts`, before: '\n// --- casts', text: entryText(camel) },
    {
      path: `${SOURCE}/testing/elementwise-cases.ts`,
      before: '  clamp: unary(',
      text: `  ${camel}: unary(ops.${camel}),\n`,
    },
    { path: 'packages/tensor/README.md', before: ' clamp select cast', text: ` ${camel}` },
    changeset(`tensor-${kebab}`, '@franca/tensor', `\`${camel}\`: x / (1 + |x|).`),
  ];
}

const entryText = (camel: string): string => `/** x / (1 + |x|) */
export const ${camel}: (x: Tensor) => Tensor = unary({
  name: '${camel}',
  expression: (x) => \`\${x} / (F(1.0) + abs(\${x}))\`,
  reference: (x) => x / (1 + Math.abs(x)),
  gradient: (g, _, y) => [mul(g, square(sub(1, abs(y))))],
});
`;
