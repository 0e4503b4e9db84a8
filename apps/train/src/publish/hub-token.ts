/** The access token of the Hugging Face hub, where its own tools keep it: `HF_TOKEN`, else the file that `hf auth login` writes. It is never printed. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined where there is none. */
export async function hubToken(env: Environment = process.env): Promise<string | undefined> {
  if (env.HF_TOKEN) return env.HF_TOKEN;
  const text = await readFile(tokenFile(env), 'utf8').catch(() => '');
  return text.trim() || undefined;
}

function tokenFile({ HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME }: Environment): string {
  return HF_TOKEN_PATH || join(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'), 'token');
}
