/** A new op of `@franca/tensor`: sums of squares along the last axis, with all four parts of an op to be replaced. */
import { changeset, type Edit } from './edits';
import { checkUnused, type Name } from './name';

const SOURCE = 'packages/tensor/src';

export function opTemplate(name: Name): Edit[] {
  const { kebab, camel, words } = name;
  checkUnused(camel, `${SOURCE}/index.ts`);
  return [
    { path: `${SOURCE}/ops/${kebab}.ts`, text: opText(name) },
    { path: `${SOURCE}/ops/${kebab}.test.ts`, text: testText(name) },
    {
      path: `${SOURCE}/index.ts`,
      before: `export * from './ops/elementwise';\n`,
      text: `export { ${camel} } from './ops/${kebab}';\n`,
    },
    {
      path: `${SOURCE}/testing/test-graphs.ts`,
      before: `  one('l2 normalise'`,
      text: `  one('${words}', f.${camel}),\n`,
    },
    {
      path: 'packages/tensor/README.md',
      before: '\n| reductions |',
      text: `\n| ${words} | \`${camel}(x)\`: sums of squares along the last axis |`,
    },
    changeset(`tensor-${kebab}`, '@franca/tensor', `\`${camel}\`: sums of squares along the last axis.`),
  ];
}

const opText = ({ kebab, camel, words }: Name): string => `/**
 * ${words[0]!.toUpperCase() + words.slice(1)}: y = sum_i x_i^2 along the last axis, [.., D] -> [..]. Backward: dx_i = 2 x_i g. Written by \`npm run new -- op ${kebab}\`:
 * replace this paragraph by your formula, shapes and source, and the four parts below by your own.
 */
import type { Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { elementType, kernelBuilder } from '../kernels/kernel-builder';
import { rowKernel } from '../kernels/row-kernel';
import { flatDot, floatType } from '../kernels/vectors';
import { mul } from './elementwise';
import { checkRows, rowsOf } from './rows/row-shape';
import { reshape } from './views';

const ${camel}Op: Op<object> = {
  name: '${camel}',
  infer([x]) {
    checkRows('${camel}', x!);
    return [{ shape: x!.shape.slice(0, -1), dtype: x!.dtype }];
  },
  reference([x]) {
    const { rows, columns } = rowsOf(x!);
    const y = new Float64Array(rows);
    for (let i = 0; i < x!.data.length; i++) y[Math.floor(i / columns)]! += x!.data[i]! ** 2;
    return [y];
  },
  gradient: ({ inputs: [x], grads: [g] }) => [mul(x!, mul(2, reshape(g!, [...g!.shape, 1])))],
  lower({ inputs: [x], outputs: [y], target }) {
    const { rows, columns } = rowsOf(x!);
    const width = columns % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('${camel}', target);
    const X = k.read(x!, elementType(x!, width));
    const Y = k.write(y!);
    const n = k.uniform(columns / width);
    const body = \`
  var part = 0.0;
  for (var c = lane; c < \${n}; c += LANES) { let v = \${floatType(width)}(\${X}[row * \${n} + c]); part += \${flatDot('v', 'v', width)}; }
  let total = rowSum(part);
  if (lane == 0u) { \${Y}[row] = \${elementType(y!)}(total); }\`;
    return [rowKernel(k, { body, rows, steps: columns / width, flops: 2 * rows * columns })];
  },
};

/** Sums of squares of the rows (last axis) of x: [.., D] -> [..]. */
export const ${camel} = (x: Tensor): Tensor => record1(${camel}Op, [x], {});
`;

const testText = ({ kebab, camel }: Name): string => `import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { checkOp } from '../testing';
import { ${camel} } from './${kebab}';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

// rows shorter and longer than a team of lanes, in vectors of four and in single elements
test.each([[[1]], [[3, 5]], [[2, 3, 16]], [[2, 67]], [[300, 96]]])('${camel} of %j', async (shape) => {
  await checkOp(gpu, (x) => ${camel}(x!), [{ shape }]);
});

test('a worked example', async () => {
  using step = await compile(gpu, (_, { x }) => ({ y: ${camel}(x!) }), { batch: { x: { shape: [2, 2], dtype: 'f32' } } });
  step.run({ x: [1, -2, 3, 4] });
  expect([...(await step.read('y'))]).toEqual([5, 25]);
});

test('what has no rows is refused', () => {
  const x = { shape: [], dtype: 'f32' } as const;
  expect(() => planStep(defaultTarget, {}, (_, { x }) => ${camel}(x!), { batch: { x } })).toThrow(/${camel}.*last axis/);
});
`;
