/**
 * The class of each pixel on a device: scores on a patch grid upsampled and the largest named, in one pass. Scores are
 * `[h * w, C]`, pixel centres lie at half-integers; each pixel blends its four patches class by class and keeps the
 * best so far, so the upsampled scores are never stored.
 */
import { compile, type Gpu, kernelBuilder, type Op, record1, type Step } from '@franca/tensor';
import { bilinear, type Extent } from '../numerics/bilinear';
import type { ScoreGrid } from './eval-backend';
import type { PlanCache } from './plan-cache';

interface LabelMapAttrs {
  readonly from: Extent;
  readonly to: Extent;
}

const labelMapOp: Op<LabelMapAttrs> = {
  name: 'labelMap',
  infer: (_, { to }) => [{ shape: to, dtype: 'i32' }],
  reference([scores], { from, to }) {
    const classes = scores!.shape[1]!;
    const pixels = new Float64Array(to[0] * to[1] * classes);
    bilinear(from, to).apply(scores!.data, pixels, classes);
    return [
      Float64Array.from({ length: to[0] * to[1] }, (_, p) => {
        const own = pixels.subarray(p * classes, (p + 1) * classes);
        return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
      }),
    ];
  },
  lower({ inputs: [scores], outputs: [labels], attrs: { from, to }, target }) {
    const classes = scores!.shape[1]!;
    const b = kernelBuilder('labelMap', target);
    const [S, L] = [b.read(scores!), b.write(labels!)];
    const [rows, columns] = [b.uniform(from[0]), b.uniform(from[1])];
    const [height, width] = [b.uniform(to[0]), b.uniform(to[1])];
    const count = b.uniform(classes);
    const body = `
  if (thread >= ${height} * ${width}) { return; }
  let y = source(thread / ${width}, ${rows}, ${height});
  let x = source(thread % ${width}, ${columns}, ${width});
  let low = vec2(u32(y), u32(x));
  let high = min(low + 1u, vec2(${rows}, ${columns}) - 1u);
  let weight = vec2(y, x) - vec2<f32>(low);
  let corners = vec4(low.x * ${columns} + low.y, low.x * ${columns} + high.y, high.x * ${columns} + low.y, high.x * ${columns} + high.y) * ${count};
  var best = 0u;
  var largest = 0.0;
  for (var c = 0u; c < ${count}; c++) {
    let at = corners + c;
    let top = mix(${S}[at.x], ${S}[at.y], weight.y);
    let bottom = mix(${S}[at.z], ${S}[at.w], weight.y);
    let score = mix(top, bottom, weight.x);
    if (c == 0u || score > largest) { best = c; largest = score; }
  }
  ${L}[thread] = i32(best);`;
    const declarations = `
fn source(i: u32, from_: u32, to_: u32) -> f32 { return max(0.0, (f32(i) + 0.5) * f32(from_) / f32(to_) - 0.5); }`;
    const pixels = to[0] * to[1];
    const workgroups = Math.ceil(pixels / 64);
    return [
      b.build({ body, declarations, workgroupSize: 64, workgroups, flops: 9 * pixels * classes, serial: classes }),
    ];
  },
};

type LabelMapStep = Step<{ scores: { shape: number[]; dtype: 'f32' } }, Record<string, never>>;

export async function labelMap(
  gpu: Gpu,
  plans: PlanCache,
  { scores, grid }: ScoreGrid,
  size: Extent,
): Promise<Int32Array> {
  const step = await plans.get<LabelMapStep>(`labelMap ${grid} ${size} ${scores.cols}`, () =>
    compile(gpu, (_, batch) => ({ labels: record1(labelMapOp, [batch.scores], { from: grid, to: size }) }), {
      batch: { scores: { shape: [scores.rows, scores.cols], dtype: 'f32' } },
    }),
  );
  step.run({ scores: scores.data });
  return (await step.read('labels')) as Int32Array;
}
