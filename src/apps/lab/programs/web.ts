/** The back end of every pod of the lab: says which pod answered, on which node, and whom it saw asking. */
import { createServer } from 'node:http'

const { POD_NAME, NODE_NAME, PORT } = process.env

createServer((request, response) => {
  const client = request.socket.remoteAddress?.replace(/^::ffff:/, '')
  response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' })
  response.end(`pod=${POD_NAME} node=${NODE_NAME} client=${client}\n`)
}).listen(Number(PORT), () => process.send?.('listening'))
