/**
 * Weights to start from: the backbone of any checkpoint that can be opened. For another image size the position table is resampled once, before training, as the
 * official converter does: bicubic, antialiased, a = -0.5, without the offset that inference uses.
 */
import { openCheckpoint, splitOfficial } from '@franca/checkpoint';
import { initialisePretraining, type PretrainOptions } from '@franca/pretraining';
import { type Gpu, resampleMatrix, type State, sizeOf } from '@franca/tensor';
import { TrainError } from '../errors';

/** Values of a backbone's tensor by its official name; undefined where there is none. */
export type PretrainedWeights = (name: string) => Promise<ArrayLike<number> | undefined>;

export interface PretrainedFile extends AsyncDisposable {
  readonly weights: PretrainedWeights;
  /** What was found and done, in words. */
  readonly notes: readonly string[];
}

/** Opens the backbone in `path` for a model of `grid` x `grid` patches; another table is resampled if `resample` is set, else refused. */
export async function openPretrained(path: string, grid: number, resample: boolean): Promise<PretrainedFile> {
  const file = await openCheckpoint(path);
  const { backbone } = splitOfficial(file).parts;
  const table = backbone.tensors.get('pos_embed');
  if (!table) {
    await file.close();
    throw new TrainError('file', `${path} has no position table "pos_embed", so it is no backbone`);
  }
  const [, count, D] = table.shape as [number, number, number];
  const from = Math.round(Math.sqrt(count - 1));
  if (from !== grid && !resample) {
    await file.close();
    throw new TrainError(
      'file',
      `${path} was trained on ${from} x ${from} patches, this run has ${grid} x ${grid}; use franca-train highres, which resamples positions`,
    );
  }
  return {
    notes: [
      `starting from ${path}: ${backbone.tensors.size} tensors${from === grid ? '' : `, positions resampled from ${from} x ${from} to ${grid} x ${grid}`}`,
    ],
    async weights(name) {
      if (!backbone.tensors.has(name)) return undefined;
      const values = await backbone.readFloat32(name);
      return name === 'pos_embed' && from !== grid ? resampleTable(values, from, grid, D) : values;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** A table [1 + from^2, D] on another square grid; the class position stays. */
export function resampleTable(table: Float32Array, from: number, to: number, D: number): Float32Array {
  const matrix = resampleMatrix(from, to, 'bicubic-antialias');
  const rows = new Float64Array(to * from * D);
  for (let y = 0; y < to; y++) {
    for (let j = 0; j < from; j++) {
      const weight = matrix[y * from + j]!;
      if (weight === 0) continue;
      for (let i = 0; i < from * D; i++) rows[y * from * D + i]! += weight * table[D + j * from * D + i]!;
    }
  }
  const out = new Float32Array((1 + to * to) * D);
  out.set(table.subarray(0, D));
  for (let y = 0; y < to; y++) {
    for (let x = 0; x < to; x++) {
      for (let d = 0; d < D; d++) {
        let sum = 0;
        for (let j = 0; j < from; j++) sum += matrix[x * from + j]! * rows[(y * from + j) * D + d]!;
        out[(1 + y * to + x) * D + d] = sum;
      }
    }
  }
  return out;
}

/** Initial weights of student and teacher; the backbone from `pretrained`, if there is one. @throws TrainError `file` where it is of another model */
export async function startFresh(
  gpu: Gpu,
  state: State,
  options: PretrainOptions,
  pretrained: PretrainedWeights | undefined,
): Promise<void> {
  await initialisePretraining(gpu, state, options);
  if (!pretrained) return;
  for (const [name, { shape }] of Object.entries(state.layout.student!.segments)) {
    if (!name.startsWith('backbone.')) continue;
    const plain = name.slice('backbone.'.length);
    const values = await pretrained(plain);
    if (!values) throw new TrainError('file', `the pretrained weights have no "${plain}"`);
    if (values.length !== sizeOf(shape)) {
      throw new TrainError(
        'file',
        `the pretrained "${plain}" has ${values.length} values, the model needs [${shape.join(', ')}]; franca-train highres resamples positions`,
      );
    }
    for (const group of ['student', 'teacher']) state.write(group, name, values);
  }
}
