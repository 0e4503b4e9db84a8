/**
 * Weights to start from: the backbone of any checkpoint that can be opened. For another image size the position table is resampled once, before training, as the
 * official converter does: bicubic, antialiased, a = -0.5, without the offset that inference uses.
 */
import { openCheckpoint, type TensorFile, type TensorSource } from '@franca/checkpoint';
import { initialisePretraining, type PretrainOptions } from '@franca/pretraining';
import { type Gpu, resampleMatrix, type State, sizeOf } from '@franca/tensor';
import { usualHeads, type VitConfig } from '@franca/vit';
import { TrainError } from '../errors';
import { configOfFile, findConfig } from '../features/config-of-file';
import { findWeights } from '../features/find-weights';
import { networkOfFile } from '../features/network-of-file';
import { programCommand } from '../text/program';

/** Values of a backbone's tensor by its official name; undefined where there is none. */
export type PretrainedWeights = (name: string) => Promise<ArrayLike<number> | undefined>;

export interface PretrainedFile extends AsyncDisposable {
  readonly weights: PretrainedWeights;
  /** What was found and done, in words. */
  readonly notes: readonly string[];
}

/**
 * Opens the backbone in `path` (a file, or the folder of a run) for the model `vit`; a position table of another size is resampled if `resample` is set.
 * @throws TrainError `file` where it is of another model, heads included, or of another size and not to be resampled
 */
export async function openPretrained(path: string, vit: VitConfig, resample: boolean): Promise<PretrainedFile> {
  const found = await findWeights(path);
  const file = await openCheckpoint(found.file);
  try {
    const wayOut = `${programCommand(['import', found.file, '--network', 'NAME', '--out', 'FOLDER'])} takes one out`;
    const { parts, notes } = networkOfFile(file, undefined, wayOut);
    const { backbone } = parts;
    const table = backbone.tensors.get('pos_embed');
    if (!table) throw new TrainError('file', `${path} has no position table "pos_embed", so it is no backbone`);
    const [, count, D] = table.shape as [number, number, number];
    const [from, grid] = [Math.round(Math.sqrt(count - 1)), vit.imgSize / vit.patchSize];
    if (from !== grid && !resample)
      throw new TrainError(
        'file',
        `${path} was trained on ${from} x ${from} patches, this run has ${grid} x ${grid}; use franca-train highres, which resamples positions`,
      );
    const headNotes = checkHeads(file, backbone, { vit, runConfig: found.configFile });
    return {
      notes: [
        `starting from ${found.file}: ${backbone.tensors.size} tensors${from === grid ? '' : `, positions resampled from ${from} x ${from} to ${grid} x ${grid}`}`,
        ...found.notes,
        ...notes,
        ...headNotes,
      ],
      async weights(name) {
        if (!backbone.tensors.has(name)) return undefined;
        const values = await backbone.readFloat32(name);
        return name === 'pos_embed' && from !== grid ? resampleTable(values, from, grid, D) : values;
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Heads change no shape: weights of a model with others load, and are another function. @returns what was assumed, in words */
function checkHeads(
  file: TensorFile,
  backbone: TensorSource,
  { vit, runConfig }: { readonly vit: VitConfig; readonly runConfig: string | undefined },
): readonly string[] {
  const heads = vit.numHeads;
  const stored = findConfig(file, runConfig, () => {});
  // refuses tensors that make it another architecture
  configOfFile(file, backbone, { heads, runConfig });
  if (stored && !stored.assumed.includes('numHeads')) {
    if (stored.config.numHeads === heads) return [];
    throw new TrainError(
      'file',
      `${file.path} has ${stored.config.numHeads} attention heads (${stored.source}), this run has ${heads}; give franca.vit.num_heads=${stored.config.numHeads}`,
    );
  }
  const usual = usualHeads(vit.embedDim);
  const published =
    usual === undefined || usual === heads ? '' : `; published ViTs of width ${vit.embedDim} have ${usual}`;
  return [`heads: ${heads}, as this run is configured; the weights do not say theirs${published}`];
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
