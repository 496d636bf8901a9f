import { createServer } from 'node:http';
import express, { type Response } from 'express';
import { routes } from '../../store/io/http/routes.ts';

/** `node bare-express.ts PORT`: an express server with the same routes that only answers. */
const VALUE = Buffer.alloc(256, 'x');
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.set('query parser', false);
for (const { pattern } of routes) {
  app.route(pattern).all((req, res: Response) => {
    if (req.method === 'GET') return void res.end(VALUE);
    req.resume().on('end', () => res.writeHead(204).end());
  });
}
createServer(app).listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'));
