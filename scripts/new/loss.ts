/** A new loss of `@franca/losses`: the mean squared distance of student rows to teacher rows, to be replaced. */
import { changeset, type Edit } from './edits';
import { checkUnused, type Name } from './name';

const SOURCE = 'packages/losses/src';

export function lossTemplate(name: Name): Edit[] {
  const { kebab, camel } = name;
  checkUnused(`${camel}Loss`, `${SOURCE}/index.ts`);
  return [
    { path: `${SOURCE}/${kebab}.ts`, text: lossText(name) },
    { path: `${SOURCE}/${kebab}.test.ts`, text: testText(name) },
    {
      path: `${SOURCE}/index.ts`,
      before: 'export { LossError',
      text: `export { ${camel}Loss } from './${kebab}';\n`,
    },
    {
      path: 'packages/losses/README.md',
      before: '\n| `LossError` |',
      text: `\n| \`${camel}Loss(student, teacher)\` | mean squared distance of rows |`,
    },
    changeset(`losses-${kebab}`, '@franca/losses', `\`${camel}Loss\`: the mean squared distance of rows.`),
  ];
}

const lossText = ({ kebab, camel, words }: Name): string => `/**
 * The ${words} loss: the squared distance of student rows to teacher rows, mean over rows. With rows s_i and t_i of [B, D],
 *
 *   loss = 1/B sum_i || s_i - t_i ||^2
 *
 * The gradient reaches the student only. In f32 throughout. Written by \`npm run new -- loss ${kebab}\`: replace this paragraph by your formula,
 * shapes and source, and the function by your own.
 */
import { cast, mean, square, stopGradient, sub, sum, type Tensor } from '@franca/tensor';
import { LossError } from './errors';

/** Rows [B, D] of student and teacher -> scalar. Throws \`LossError\` (\`shape\`). */
export function ${camel}Loss(student: Tensor, teacher: Tensor): Tensor {
  if (student.shape.length !== 2 || student.shape.join() !== teacher.shape.join())
    throw new LossError(
      'shape',
      \`rows of shape [\${student.shape.join(', ')}] and [\${teacher.shape.join(', ')}]: expected [B, D] twice\`,
    );
  const apart = sub(cast(student, 'f32'), stopGradient(cast(teacher, 'f32')));
  return mean(sum(square(apart), [1]));
}
`;

const testText = ({
  kebab,
  camel,
}: Name): string => `import { compile, constant, type Gpu, grad } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { normals } from '@franca/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ${camel}Loss } from './${kebab}';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test('value and gradient are those of plain loops in f64', async () => {
  const [B, D] = [5, 7];
  const [student, teacher] = [normals(B * D, 1), normals(B * D, 2)];
  using step = await compile(gpu, () => {
    const rows = constant(student, [B, D]);
    const loss = ${camel}Loss(rows, constant(teacher, [B, D]));
    return { loss, gradient: grad(loss, [rows])[0]! };
  });
  step.run();
  const apart = Float64Array.from(student, (value, i) => value - teacher[i]!);
  const expected = apart.reduce((total, value) => total + value * value, 0) / B;
  expect((await step.read('loss'))[0]).toBeCloseTo(expected, 5);
  const gradient = await step.read('gradient');
  for (const [i, value] of apart.entries()) expect(gradient[i]).toBeCloseTo((2 * value) / B, 5);
});

test('rows of different shapes are refused', () => {
  const rows = (count: number) => constant(new Float64Array(2 * count), [count, 2]);
  expect(() => ${camel}Loss(rows(2), rows(3))).toThrow(expect.objectContaining({ code: 'shape' }));
});
`;
