/**
 * npm run regression --workspace bench [-- --sizes 3680x768x37 --cs 45 --backend webgpu --separable]
 *
 * Time of logistic regression per value of C, and where it goes. Features are made: class means and noise whose variances fall as 1 / d, as those of
 * principal axes of real features do, around a mean far from zero; so many classes of 768 axes come apart at a large C, and a share of labels is wrong.
 * Beside each time stands its floor: multiply-adds of all evaluations at the rate that one product of the same size reaches alone.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  cpuBackend,
  type EvalBackend,
  gpuBackend,
  type LabelledFeatures,
  logisticRegression,
  OFFICIAL_CS,
  type SoftmaxRegressionSession,
} from '@franca/evals';
import { openGpu } from '@franca/tensor/node';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000x384x50,3680x768x37' },
    /** How many of the 45 values of C, evenly spaced. */
    cs: { type: 'string', default: '45' },
    backend: { type: 'string', default: 'webgpu' },
    noise: { type: 'string', default: '0.02' },
    /** Distance of class means, in standard deviations of the first axis. */
    spread: { type: 'string', default: '0.6' },
    json: { type: 'string' },
  },
});

/** Evaluations and centres of a sweep, and the seconds that they took. */
interface Spent {
  evaluations: number;
  evaluating: number;
  centres: number;
  centring: number;
}

function made([rows, dim, classes]: readonly [number, number, number], noise: number, seed: number): LabelledFeatures {
  const { normal } = drawn(1);
  const means = Float32Array.from({ length: classes * dim }, normal);
  const offset = Float32Array.from({ length: dim }, () => 0.3 * normal());
  const own = drawn(seed);
  const cls = new Float32Array(rows * dim);
  const labels = new Int32Array(rows);
  const spread = Number(options.spread);
  for (let i = 0; i < rows; i++) {
    const of = i % classes;
    labels[i] = own.uniform() < noise ? Math.floor(own.uniform() * classes) : of;
    for (let d = 0; d < dim; d++)
      cls[i * dim + d] = offset[d]! + (spread * means[of * dim + d]! + own.normal()) / Math.sqrt(1 + d);
  }
  return { dim, cls, labels };
}

/** Numbers of a linear congruential generator: what is measured does not depend on their quality. */
function drawn(seed: number) {
  let state = (seed * 2654435761) >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  for (let i = 0; i < 8; i++) uniform();
  return { uniform, normal };
}

/** Of all threads of this process, those of a software adapter included: it does not depend on what else the machine does. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function measured(backend: EvalBackend, spent: Spent): EvalBackend {
  return {
    ...backend,
    openSoftmaxRegression(problem): SoftmaxRegressionSession {
      const session = backend.openSoftmaxRegression(problem);
      const timed =
        (
          count: 'evaluations' | 'centres',
          time: 'evaluating' | 'centring',
          run: SoftmaxRegressionSession['evaluate'],
        ) =>
        async (parameters: Float64Array, gradient: Float64Array) => {
          const began = processorSeconds();
          const value = await run(parameters, gradient);
          spent[count]++;
          spent[time] += processorSeconds() - began;
          return value;
        };
      return {
        ...session,
        evaluate: timed('evaluations', 'evaluating', session.evaluate),
        ...(session.centre && { centre: timed('centres', 'centring', session.centre) }),
        [Symbol.dispose]: () => session[Symbol.dispose](),
      };
    },
  };
}

const gpu = options.backend === 'cpu' ? undefined : await openGpu();
const backend = gpu ? gpuBackend(gpu) : cpuBackend;
const every = Math.max(1, Math.floor(OFFICIAL_CS.length / Number(options.cs)));
const cs = OFFICIAL_CS.filter((_, i) => i % every === 0);
const results: object[] = [];
for (const size of options.sizes.split(',')) {
  const [rows, dim, classes] = size.split('x').map(Number) as [number, number, number];
  const noise = Number(options.noise);
  const train = made([rows, dim, classes], noise, 2);
  const validation = made([Math.ceil(rows / 4), dim, classes], noise, 3);
  const spent: Spent = { evaluations: 0, evaluating: 0, centres: 0, centring: 0 };
  const perC: object[] = [];
  console.log('C\tseconds\tprocessor\tevaluations\tprocessor\tcentres\tprocessor');
  let last = performance.now();
  let lastProcessor = processorSeconds();
  const beganProcessor = lastProcessor;
  let before = { ...spent };
  const { outcome, sweep, notes } = await logisticRegression(train, validation, {
    cs,
    validation,
    backend: measured(backend, spent),
    onFit(done) {
      const now = performance.now();
      const line = {
        c: cs[done - 1]!.toExponential(1),
        seconds: ((now - last) / 1000).toFixed(2),
        processor: (processorSeconds() - lastProcessor).toFixed(2),
        evaluations: spent.evaluations - before.evaluations,
        evaluating: (spent.evaluating - before.evaluating).toFixed(2),
        centres: spent.centres - before.centres,
        centring: (spent.centring - before.centring).toFixed(2),
      };
      perC.push(line);
      console.log(Object.values(line).join('\t'));
      [last, lastProcessor, before] = [now, processorSeconds(), { ...spent }];
    },
  });
  for (const point of sweep)
    console.log(point.c.toExponential(1), point.score.toFixed(4), point.iterations, point.gradient.toExponential(1));
  console.log(
    size,
    backend.name,
    outcome.wallMs / 1000,
    processorSeconds() - beganProcessor,
    JSON.stringify(spent),
    outcome.hyper.c,
    outcome.value,
    notes,
  );
  results.push({
    size,
    backend: backend.name,
    seconds: outcome.wallMs / 1000,
    processor: processorSeconds() - beganProcessor,
    perC,
    sweep,
    ...spent,
  });
}
if (options.json) writeFileSync(options.json, JSON.stringify(results, null, 1));
gpu?.dispose();
