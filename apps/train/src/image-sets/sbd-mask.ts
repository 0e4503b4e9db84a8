/** The masks of the Semantic Boundaries Dataset: a matrix of bytes in a MATLAB file, field `Segmentation` of the structure `GTcls`. */
import { DataError, type MatNumbers, type MatValue, readMatFile } from '@franca/data';
import type { StoredMask } from './read-mask';

/** @throws DataError `corrupt-image` where the file has no such matrix; `path` names it */
export function readMatMask(bytes: Uint8Array, path: string): StoredMask {
  const corrupt = (what: string, cause?: unknown): DataError =>
    new DataError('corrupt-image', `${what}; expected masks of the Semantic Boundaries Dataset (GTcls.Segmentation)`, {
      cause,
    });
  const segmentation = Object.values(variablesOf())
    .map(fieldOf)
    .find((field) => field !== undefined);
  if (!segmentation) throw corrupt(`${path} has no Segmentation`);
  const mask = segmentation.kind === 'numbers' ? maskOf(segmentation) : undefined;
  if (!mask) throw corrupt(`${path} has a Segmentation that is no matrix of bytes`);
  return mask;

  function variablesOf(): ReturnType<typeof readMatFile> {
    try {
      return readMatFile(bytes, path);
    } catch (error) {
      throw error instanceof DataError ? corrupt(error.message, error) : error;
    }
  }
}

const fieldOf = (value: MatValue | undefined): MatValue | undefined =>
  value?.kind === 'structs' ? value.records[0]?.Segmentation : undefined;

/** Columns first become rows first. */
function maskOf({ sizes, values }: MatNumbers): StoredMask | undefined {
  const [height = 0, width = 0] = sizes;
  if (sizes.length !== 2 || !(values instanceof Uint8Array) || values.length < 1) return undefined;
  const data = new Uint8Array(height * width);
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) data[y * width + x] = values[x * height + y]!;
  return { data, height, width };
}
