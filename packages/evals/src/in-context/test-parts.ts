/** Test images of in-context segmentation in parts whose tokens are held at once, with their masks. */
import { SEGMENTATION } from '../check-features';
import { checkOption } from '../errors';
import { type Batched, batches, imageCount, maskOf, patchTokens, type SegmentationFeatures } from '../features';
import { joinRows, LONGEST_ARRAY, type Matrix, normaliseRows } from '../matrix';
import { checkMask } from '../metrics/segmentation';

/** What is kept of a batch of test images beside their tokens. */
export interface TestBatch extends Pick<SegmentationFeatures, 'grid' | 'maskSize'> {
  readonly masks: readonly Uint8Array[];
}

/** Unit tokens of test images `[patches, D]` that are searched for at once, and the batches that they are of. */
export interface TestPart {
  readonly queries: Matrix;
  readonly batches: readonly TestBatch[];
  /** Whether no image follows. */
  readonly isLast: boolean;
}

/** The test images in parts of at most `patches` patches, or of one batch. */
export async function* testParts(
  test: Batched<SegmentationFeatures>,
  scoring: { readonly classes: number; readonly ignore?: number },
  patches: number,
): AsyncGenerator<TestPart> {
  let tokens: Matrix[] = [];
  let own: TestBatch[] = [];
  let held = 0;
  const part = (isLast: boolean): TestPart => {
    const values = held * tokens[0]!.cols;
    checkOption(
      values <= LONGEST_ARRAY,
      `${held} test patches are ${values} numbers, and an array has at most ${LONGEST_ARRAY}; give heldPatches, and test in batches`,
    );
    const joined = { queries: joinRows(tokens), batches: own, isLast };
    [tokens, own, held] = [[], [], 0];
    return joined;
  };
  for await (const batch of batches('inContextSegmentation: test', test, SEGMENTATION)) {
    checkMask(batch.masks, scoring);
    const unit = normaliseRows(patchTokens(batch));
    if (own.length > 0 && held + unit.rows > patches) yield part(false);
    const masks = Array.from({ length: imageCount(batch) }, (_, i) => maskOf(batch, i));
    tokens.push(unit);
    own.push({ grid: batch.grid, maskSize: batch.maskSize, masks });
    held += unit.rows;
  }
  if (held > 0) yield part(true);
}
