/**
 * Naming clusters after classes, from counts `[clusters, classes]`.
 *
 * One to one (Hungarian): the assignment with the largest total IoU; clusters beyond the number of classes stay
 * unnamed.
 *
 * Many to one: every cluster takes the class with the largest precision `|cluster & class| / |cluster|` (its majority) or
 * the largest IoU; ties go to the lowest class.
 */
import { munkres } from 'munkres';
import { checkArgument, checkOption } from '../errors';

/** A pooled count matrix. */
export interface ClusterCounts {
  readonly counts: Float64Array;
  readonly clusters: number;
  readonly classes: number;
}

/**
 * Class of each cluster, -1 where it has none.
 *
 * @throws EvalsError `bad-option` for what is no table of counts
 */
export function hungarianMatch(table: ClusterCounts): Int32Array {
  checkTable('hungarianMatch', table);
  const iou = pairIou(table);
  const cost = Array.from({ length: table.clusters }, (_, k) =>
    Array.from({ length: table.classes }, (_, c) => 1 - iou[k * table.classes + c]!),
  );
  const match = new Int32Array(table.clusters).fill(-1);
  for (const [cluster, name] of munkres(cost)) match[cluster] = name;
  return match;
}

/** Class of each cluster; several clusters may share one. */
export function manyToOneMatch(table: ClusterCounts, by: 'precision' | 'iou'): Int32Array {
  checkTable('manyToOneMatch', table);
  checkArgument('manyToOneMatch', 'by', by, ['precision', 'iou']);
  const score = by === 'precision' ? table.counts : pairIou(table);
  return Int32Array.from({ length: table.clusters }, (_, k) => {
    const row = score.subarray(k * table.classes, (k + 1) * table.classes);
    return row.reduce((best, value, c) => (value > row[best]! ? c : best), 0);
  });
}

/**
 * Counts `[classes + 1, classes]` (predicted, target) after naming. The last row holds what lies in unnamed clusters:
 * predicted as nothing, and so missed by its class.
 */
export function renamed(table: ClusterCounts, match: Int32Array): Float64Array {
  checkTable('renamed', table);
  checkArgument('renamed', 'match', match, 'Int32Array');
  const { counts, clusters, classes } = table;
  checkOption(match.length === clusters, `renamed: ${match.length} names for ${clusters} clusters`);
  const named = new Float64Array((classes + 1) * classes);
  for (let k = 0; k < clusters; k++) {
    const row = match[k]! < 0 ? classes : match[k]!;
    for (let c = 0; c < classes; c++) named[row * classes + c]! += counts[k * classes + c]!;
  }
  return named;
}

function checkTable(what: string, table: ClusterCounts): void {
  checkArgument(what, 'the table of counts', table, 'object');
  const { counts, clusters, classes } = table;
  checkOption(
    counts instanceof Float64Array && counts.length === clusters * classes,
    `${what}: the counts are no Float64Array [${clusters}, ${classes}]; give { counts, clusters, classes }`,
  );
}

function pairIou({ counts, clusters, classes }: ClusterCounts): Float64Array {
  const clusterSize = new Float64Array(clusters);
  const classSize = new Float64Array(classes);
  counts.forEach((count, i) => {
    clusterSize[Math.floor(i / classes)]! += count;
    classSize[i % classes]! += count;
  });
  return counts.map((count, i) => {
    const union = clusterSize[Math.floor(i / classes)]! + classSize[i % classes]! - count;
    return union === 0 ? 0 : count / union;
  });
}
