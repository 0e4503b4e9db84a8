/** Whether a written file of weights holds the model bit for bit: read back as this program reads it, and compared with where it came from. */
import { openSafetensors } from '@franca/checkpoint';
import { translateHuggingFace, vitSpecs, type WeightFile, weightsOf } from '@franca/vit';
import { TrainError } from '../errors';
import type { ExportedWeights, ModelFile } from './model-file';
import { valuesOf } from './official-names';

/** The formats that this program reads as the model itself; what timm's names hold is compared tensor by tensor. */
export type ExportFormat = 'hf' | 'official' | 'timm';

/**
 * Compares the file at `path` with `weights`, tensor by tensor of the model; returns how many were compared.
 * @throws TrainError `run` where one differs in a bit
 */
export async function checkTensors(
  path: string,
  format: ExportFormat,
  { model, weights }: { readonly model: ModelFile; readonly weights: ExportedWeights },
): Promise<number> {
  await using file = await openSafetensors(path);
  if (format === 'timm') {
    for (const { name, read } of model.tensors)
      refuseDifference(path, name, await file.readFloat32(name), await read());
    return model.tensors.length;
  }
  const back: WeightFile = format === 'hf' ? translateHuggingFace(file, model.config!) : file;
  const read = weightsOf(back);
  const names = Object.keys(vitSpecs(weights.config));
  for (const name of names) {
    const source = await weights.read(name);
    // a mask token that the source lacks
    if (source) refuseDifference(path, name, await valuesOf(read, name), Float32Array.from(source));
  }
  return names.length;
}

/** Bits, so that NaN equals itself and 0 is not -0. */
function refuseDifference(path: string, name: string, written: Float32Array, source: Float32Array): void {
  const [a, b] = [bitsOf(written), bitsOf(source)];
  const at = a.length === b.length ? a.findIndex((bits, i) => bits !== b[i]) : Math.min(a.length, b.length);
  if (at < 0) return;
  throw new TrainError(
    'run',
    `${path} does not hold "${name}" as it is: value ${at} is ${written[at]}, it should be ${source[at]}; this is a bug`,
  );
}

const bitsOf = ({ buffer, byteOffset, length }: Float32Array): Uint32Array =>
  new Uint32Array(buffer, byteOffset, length);
