/** All that was asked for of an image side by side, as one row: what a classifier over several tokens reads, and distances are taken between. */
import { inMemory, type LabelledFeatures, probeRows, type StoredProbeFeatures } from '@franca/evals';
import { checkRoom, type ImagePart } from './image-part';

/** The same features on disk, each image as one token. */
const asOneRow = (features: StoredProbeFeatures): StoredProbeFeatures => ({
  dim: widthOf(features),
  blocks: 1,
  patchMean: false,
  labels: features.labels,
  async read(begin, end) {
    const { data, cols } = probeRows(await features.read(begin, end));
    return { dim: cols, blocks: [data], labels: features.labels.subarray(begin, end) };
  },
});

/** Those of a part. */
export const rowsOf = async (part: ImagePart): Promise<StoredProbeFeatures> => asOneRow((await part.features()).probe);

/** Those of a part in memory. @throws TrainError `data` before anything is computed where they would not fit */
export async function heldRows(part: ImagePart): Promise<LabelledFeatures> {
  checkRoom(part.set, { dim: widthOf(part.shape), tokens: 1 });
  return heldRow(await rowsOf(part));
}

/** Features of one token in memory. */
export async function heldRow(features: StoredProbeFeatures): Promise<LabelledFeatures> {
  const { dim, blocks, labels } = await inMemory(features);
  return { dim, cls: blocks[0]!, labels };
}

const widthOf = ({ dim, blocks, patchMean }: ImagePart['shape']): number => dim * (blocks + Number(patchMean));
