import Hummingbird
import RocJSON
import RocServing

/// What programs ask about the server itself.
struct StatusRoutes {
  let model: ServedModel?
  let metrics: ServerMetrics
  let mostBytes: Int

  func add(to router: Router<RequestContext>) {
    let (model, metrics) = (model, metrics)
    router.get("/healthz") { _, _ in Response.json("{\"status\": \"ok\"}\n") }
    router.get("/readyz") { _, _ in
      guard let model else { return Response.json("{\"status\": \"ready\"}\n") }
      // A queue that is full would refuse the next picture.
      guard model.queue.held < model.queue.capacity else {
        throw RequestProblem(.unavailable, "too many pictures are waiting", retryAfter: 1)
      }
      return Response.json("{\"status\": \"ready\"}\n")
    }
    router.get("/metrics") { _, _ in
      Response.text(
        metrics.text(queue: model?.queue), type: "text/plain; version=0.0.4; charset=utf-8")
    }
    let document = OpenAPI.document(mostBytes: mostBytes).pretty + "\n"
    router.get("/openapi.json") { _, _ in Response.json(document) }
    router.get("/v1/models") { _, _ in
      let list: JSON = ["object": "list", "data": .array(model.map { [$0.json] } ?? [])]
      return Response.json(list.line + "\n")
    }
  }
}
