/** What evaluations take where nothing is asked for and it depends on the data; their estimates take the same. */
import { PAPER_KNN, PAPER_OVERCLUSTER } from './paper-protocol';

/** Numbers of neighbours: with fewer images than neighbours all of them vote, whatever k is. */
export const neighbourCounts = (images: number): number[] =>
  PAPER_KNN.values.k.filter((count) => count <= Math.max(10, images));

/** With fewer patches a cluster is named after whatever is in it, and many clusters score high on any features. */
const PATCHES_PER_CLUSTER = 32;

/** Numbers of clusters: as many as classes, 100, 300 and 500, as far as there are patches. */
export const clusterCounts = (classes: number, patches: number): number[] => [
  classes,
  ...PAPER_OVERCLUSTER.values.clusters.filter((count) => PATCHES_PER_CLUSTER * count <= patches),
];
