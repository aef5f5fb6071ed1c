import express from 'express'
import { pomerium } from 'pomerium-jwt/express'

const app = express()
app.use(pomerium()) // from here on every request is verified
app.get('/', (request, response) => response.send(`Hello ${request.pomerium?.email}`))
app.listen(8000)
