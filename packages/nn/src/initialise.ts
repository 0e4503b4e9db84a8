/**
 * Initial values straight on the device: one kernel per flat window of state. Element i of a parameter comes from word i of a Philox stream of its own, named after it,
 * so the values are those of `initialValues` (up to the adapter's logarithm, sine and cosine) and do not depend on what else the model holds.
 */
import {
  compile,
  constant,
  type Gpu,
  type GroupLayout,
  type GroupTensors,
  kernelBuilder,
  type Op,
  philoxWgsl,
  record,
  SEGMENT_ALIGNMENT,
  type Seed,
  type State,
  seedWords,
  sizeOf,
  TensorError,
} from '@franca/tensor';
import { type Init, type ParameterSpecs, streamOf } from './parameters';
import { blockParameters } from './segment-blocks';

const KINDS: readonly Init['kind'][] = ['constant', 'normal', 'uniform'];
/** Words of a parameter in the table: kind, scale (the bits of an f32), stream, elements, first block in its buffer. */
const ROW = 5;

function tableOf({ segments }: GroupLayout, specs: ParameterSpecs): Uint32Array {
  const words = Object.entries(segments).flatMap(([name, { shape, offset }]) => {
    const init = specs[name]!.init;
    const scale = init.kind === 'constant' ? init.value : init.kind === 'normal' ? init.std : init.bound;
    const bits = new Uint32Array(Float32Array.of(scale).buffer)[0]!;
    return [KINDS.indexOf(init.kind), bits, streamOf(name), sizeOf(shape), offset / SEGMENT_ALIGNMENT];
  });
  return Uint32Array.from(words);
}

interface InitialiseAttrs {
  /** First block of the window in its buffer. */
  readonly first: number;
  /** The words of the seed. */
  readonly key: readonly [low: number, high: number];
}

/** Inputs: window, parameter of each of its blocks, table. */
const initialiseOp: Op<InitialiseAttrs> = {
  name: 'initialise',
  mutates: [0],
  infer: ([window]) => [window!],
  reference: () => {
    throw new Error('initial values in f64 are those of initialValues');
  },
  lower({ inputs: [window, blocks, table], attrs: { first, key }, target }) {
    const k = kernelBuilder('initialise', target);
    const [W, B, T] = [k.write(window!, 'vec4<f32>'), k.read(blocks!), k.read(table!)];
    const units = sizeOf(window!.shape) / 4;
    const perBlock = SEGMENT_ALIGNMENT / 4;
    const body = `
  if (thread >= ${k.uniform(units)}) { return; }
  let block = thread / ${perBlock}u;
  let row = ${B}[block] * ${ROW}u;
  let element = (block + ${k.uniform(first)} - ${T}[row + 4u]) * ${SEGMENT_ALIGNMENT}u + thread % ${perBlock}u * 4u;
  let scale = bitcast<f32>(${T}[row + 1u]);
  let u = toUniform(philox(vec4<u32>(element / 4u, ${T}[row + 2u], 0u, 0u), vec2<u32>(${k.uniform(key[0])}, ${k.uniform(key[1])})));
  let radius = sqrt(-2.0 * log(1.0 - u.xz));
  let angle = 6.283185307179586 * u.yw;
  let normal = vec4<f32>(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));
  let kind = ${T}[row];
  let value = scale * select(select(vec4<f32>(1.0), normal, kind == 1u), 2.0 * u - 1.0, kind == 2u);
  let size = ${T}[row + 3u];
  let inside = vec4<u32>(element, element + 1u, element + 2u, element + 3u) < vec4<u32>(size);
  ${W}[thread] = select(vec4<f32>(0.0), value, inside);`;
    const workgroups = Math.ceil(units / 64);
    return [k.build({ declarations: philoxWgsl, body, workgroupSize: 64, workgroups, serial: 1 })];
  },
};

/** Gives all parameters of an f32 group of state their initial values. `specs` must describe the group. Throws `TensorError`. */
export async function initialise(
  gpu: Gpu,
  state: State,
  group: string,
  specs: ParameterSpecs,
  seed: Seed,
): Promise<void> {
  const layout = state.layout[group];
  const missing = Object.keys(layout?.segments ?? {}).find((name) => !specs[name]);
  if (!layout || missing !== undefined)
    throw new TensorError('state', layout ? `no initial value for "${missing}"` : `no group "${group}" to initialise`);
  const key = seedWords(seed);
  using step = await compile(gpu, (groups) => fill(groups[group]!, specs, key), { state });
  step.run();
  await step.done();
}

function fill({ windows, layout }: GroupTensors, specs: ParameterSpecs, key: InitialiseAttrs['key']): undefined {
  const words = tableOf(layout, specs);
  const table = constant(words, [words.length], 'u32');
  windows.forEach((window, i) => {
    const at = layout.windows[i]!;
    const blocks = blockParameters(layout, at);
    record(initialiseOp, [window, constant(blocks, [blocks.length], 'u32'), table], {
      first: at.offset / SEGMENT_ALIGNMENT,
      key,
    });
  });
}
