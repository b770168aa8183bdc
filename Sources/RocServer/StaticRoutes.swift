import HTTPTypes
import Hummingbird
import NIOCore
import RocBrowser

/// The style sheet, the script and the icon of all pages.
struct StaticRoutes {
  func add(to router: Router<RequestContext>) {
    for asset in Asset.all {
      router.get("/static/\(asset.name)") { request, _ in
        let headers: HTTPFields = [
          .contentType: asset.type, .eTag: asset.tag, .cacheControl: "no-cache",
        ]
        if request.headers[.ifNoneMatch] == asset.tag {
          return Response(status: .notModified, headers: headers)
        }
        return Response(
          status: .ok, headers: headers,
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
      }
    }
  }
}
