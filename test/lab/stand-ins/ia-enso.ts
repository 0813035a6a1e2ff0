/** Starts the stand-ins for Ollama (11434) and AnythingLLM (3001) on the given address, and prints `ready`. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { anythingllm } from './anythingllm.ts';
import { ollama } from './ollama.ts';

const address = process.argv[2] ?? '127.0.0.1';

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, address);
  await once(server, 'listening');
}

await Promise.all([listen(ollama(), 11434), listen(anythingllm(), 3001)]);
console.log('ready');
