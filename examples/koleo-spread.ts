/**
 * KoLeo without any network: 24 points on a sphere, at first all near one pole, move down the gradient of `koleoLoss` until each has room. The loss looks at the nearest
 * neighbour only, yet the points end up spread almost as evenly as they can be.
 */
import { koleoLoss } from '@franca/losses';
import { assign, compile, createState, grad, l2Normalise, mul, randomStream, sub } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';

const points = 24;
const random = randomStream(1, 0);
await using gpu = await openGpu();
using state = createState(gpu, { sphere: { x: { shape: [points, 3], dtype: 'f32' } } });
state.write(
  'sphere',
  'x',
  Float32Array.from({ length: points * 3 }, (_, i) => (i % 3 === 2 ? 1 : 0.1 * random.normal())),
);

using step = await compile(
  gpu,
  ({ sphere }, _, { lr }) => {
    const { x } = sphere.tensors;
    const loss = koleoLoss(x);
    assign(x, l2Normalise(sub(x, mul(lr, grad(loss, [x])[0]!))));
    return { loss };
  },
  { state, knobs: { lr: [] } },
);

/** Smallest angle between two points, in degrees. */
async function smallestAngle(): Promise<number> {
  const x = await state.read('sphere', 'x');
  let largest = -1;
  for (let a = 0; a < points; a++) {
    for (let b = 0; b < a; b++) {
      const dot = [0, 1, 2].reduce((sum, d) => sum + x[3 * a + d]! * x[3 * b + d]!, 0);
      const lengths = Math.hypot(...x.subarray(3 * a, 3 * a + 3)) * Math.hypot(...x.subarray(3 * b, 3 * b + 3));
      largest = Math.max(largest, dot / lengths);
    }
  }
  return (Math.acos(largest) * 180) / Math.PI;
}

console.log(`before: nearest two points ${(await smallestAngle()).toFixed(1)} degrees apart`);
for (let i = 0; i < 600; i++) step.run({}, { lr: 0.5 * (1 - i / 600) });
await step.done();
// 24 points fit 43.7 degrees apart at best (the snub cube)
console.log(`after: nearest two points ${(await smallestAngle()).toFixed(1)} degrees apart`);
