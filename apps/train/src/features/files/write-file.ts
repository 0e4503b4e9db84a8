/** Features into a file of the format that its name ends in. */
import { TrainError } from '../../errors';
import { endingOf, FEATURE_ENDINGS } from './find-features';
import { writeAsNpy, writeAsNpz, writeAsSafetensors } from './write-arrays';
import { writeAsParquet } from './write-parquet';
import type { WrittenFeatures } from './written-features';

const WRITERS: Readonly<Record<string, (path: string, features: WrittenFeatures) => Promise<number>>> = {
  '.safetensors': writeAsSafetensors,
  '.npz': writeAsNpz,
  '.npy': writeAsNpy,
  '.parquet': writeAsParquet,
};

/** Before long work. @throws TrainError `usage` for a name that says no format, or one that has no room for patches */
export function checkFeatureFormat(path: string, patches: boolean): void {
  const ending = endingOf(path);
  if (ending === undefined)
    throw new TrainError('usage', `${path} does not say a format: let it end in ${FEATURE_ENDINGS.join(', ')}`);
  if (ending === '.npy' && patches)
    throw new TrainError(
      'usage',
      `${path}: a .npy is one array, CLS tokens; with --patches write .npz, .safetensors or .parquet`,
    );
}

/** Bytes of what was written. @throws TrainError as `checkFeatureFormat`; CheckpointError `inaccessible`, `disk-full` */
export async function writeFeatureFile(path: string, features: WrittenFeatures): Promise<number> {
  checkFeatureFormat(path, features.outputs.includes('patches'));
  return WRITERS[endingOf(path)!]!(path, features);
}
