// Imported first by a script under test: what it has used in the end, written into the file that USAGE names.
import { writeFileSync } from 'node:fs';

process.on('exit', () => writeFileSync(process.env.USAGE, JSON.stringify(process.resourceUsage())));
