/**
 * An ONNX file as weights: a backbone of any kind, of which evaluations read the output. What it gives is found by `openOnnx`; what it does not give (its inside,
 * a head, an untrained twin) is refused in words.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { hashFile } from '@franca/evals/node';
import { filesOfOnnx, OnnxError, type OnnxModel, type OutputNames, openOnnx } from '@franca/onnx';
import type { FeatureRequest, ImageBatch, VitModel } from '@franca/vit';
import { TrainError } from '../errors';
import type { ModelOptions } from './config-of-file';
import { findRasa, rasaPlaces } from './find-rasa';
import { RASA_HEADS } from './find-weights';
import { readOnnxBeside } from './onnx-beside';
import type { Weights } from './open-weights';
import { describeRasa } from './rasa-of-weights';

/** What the command line says of an ONNX file. */
export interface OnnxChoice {
  readonly outputs?: OutputNames;
  readonly patchSize?: number;
  readonly provider?: string;
}
