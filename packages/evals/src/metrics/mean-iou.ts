/**
 * Intersection over union (IoU) from counts pooled over a set. `IoU_c = TP / (TP + FP + FN)` is taken over the pixels
 * of the whole set, not image by image. A class that neither occurs nor is predicted has no IoU; the published dense
 * protocols count it as 0, others skip it.
 */

import { checkArgument, checkOption } from '../errors';

/** How a class that is absent from predictions and targets enters the mean. */
export type AbsentClass = 'zero' | 'skip';

/**
 * IoU of each class from counts `[predictions, classes]` (predicted, target); `null` where absent. Rows beyond the classes
 * are predictions that name no class: they only miss.
 */
export function perClassIou(counts: Float64Array, classes: number): (number | null)[] {
  checkArgument('perClassIou', 'counts', counts, 'list');
  const whole = Number.isInteger(classes) && classes >= 1 && counts.length % classes === 0;
  checkOption(
    whole && counts.length >= classes * classes,
    `${counts.length} counts for ${classes} classes; give [predictions, classes] with a row for every class`,
  );
  return Array.from({ length: classes }, (_, c) => {
    let target = 0;
    for (let i = c; i < counts.length; i += classes) target += counts[i]!;
    let predicted = 0;
    for (let other = 0; other < classes; other++) predicted += counts[c * classes + other]!;
    const hits = counts[c * classes + c]!;
    const union = predicted + target - hits;
    return union === 0 ? null : hits / union;
  });
}

/** Mean IoU; `only` restricts it to some classes. 0 where no class is left. */
export function meanIou(
  ious: readonly (number | null)[],
  absent: AbsentClass = 'zero',
  only?: readonly number[],
): number {
  checkArgument('meanIou', 'ious', ious, 'list');
  checkArgument('meanIou', 'absent', absent, ['zero', 'skip']);
  const odd = only?.find((c) => !(c >= 0 && c < ious.length));
  checkOption(odd === undefined, `only names ${odd}, which is no class of ${ious.length}`);
  const chosen = only ? only.map((c) => ious[c] ?? null) : ious;
  const counted = absent === 'skip' ? chosen.filter((iou) => iou !== null) : chosen;
  return counted.length === 0 ? 0 : counted.reduce<number>((sum, iou) => sum + (iou ?? 0), 0) / counted.length;
}
