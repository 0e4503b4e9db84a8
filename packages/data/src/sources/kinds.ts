/** The list of all kinds of data sets: a new one is a file that exports its record, and its entry here. */

import { benchmarkKind } from './benchmark-kind';
import { flowersKind } from './flowers';
import { folderKind } from './folder';
import { hubKind } from './hub';
import { idxKind } from './idx';
import { listKind } from './list';
import { officialKind } from './official';
import { parquetKind } from './parquet';
import type { SourceKind } from './source-kind';
import { splitsKind } from './split-folders';
import { tarKind } from './webdataset';
import { worldKind } from './world';

export type SourceKindName =
  | 'world'
  | 'flowers'
  | 'official'
  | 'hub'
  | 'list'
  | 'benchmark'
  | 'idx'
  | 'parquet'
  | 'tar'
  | 'splits'
  | 'folder';

/** In the order in which a text or a folder is asked whether it is one of them: what is special before what is general. */
export const SOURCE_KINDS: { readonly [Name in SourceKindName]: SourceKind<Name> } = {
  world: worldKind,
  flowers: flowersKind,
  official: officialKind,
  hub: hubKind,
  list: listKind,
  benchmark: benchmarkKind,
  idx: idxKind,
  parquet: parquetKind,
  tar: tarKind,
  splits: splitsKind,
  folder: folderKind,
};
