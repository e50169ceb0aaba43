// What the wire does: limits, slow and broken clients, keep-alive, stopping.
#include <gtest/gtest.h>

#include <thread>

#include "tests/server/world.h"

namespace skiff::server::test {

TEST(Http, one_connection_serves_many_requests) {
    TestServer world;
    Connection connection(world.address());
    for (int i = 0; i < 3; ++i) {
        connection.send(request_text("GET", "/healthz", {}, ""));
        EXPECT_EQ(connection.receive().status, 200);
    }
    connection.send(request_text("GET", "/healthz", {}, "") +
                    request_text("HEAD", "/healthz", {}, ""));
    EXPECT_EQ(connection.receive().body, "{\"ok\":true}\n");
    const Answer head = connection.receive(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("content-length"), "12");
}

TEST(Http, errors_have_firebases_form) {
    TestServer world;
    const Answer answer = world.ask("GET", "/nothing");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body,
              "{\"error\":{\"code\":404,\"message\":\"there is nothing at this path\","
              "\"status\":\"NOT_FOUND\"}}\n");
    const Answer wrong_method = world.ask("DELETE", "/healthz");
    EXPECT_EQ(wrong_method.status, 405);
    EXPECT_EQ(wrong_method.headers.at("allow"), "GET, HEAD");
}

TEST(Http, what_is_no_request_is_refused) {
    TestServer world;
    Connection garbage(world.address());
    garbage.send("this is not HTTP\r\n\r\n");
    EXPECT_EQ(garbage.receive().status, 400);
    EXPECT_TRUE(garbage.closed_within(5'000));
    Connection long_head(world.address());
    long_head.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n");
    EXPECT_EQ(long_head.receive().status, 431);
}

TEST(Http, a_request_whose_end_is_a_guess_is_refused_and_ends_the_connection) {
    TestServer world;
    const std::string head =
        "POST /v1/projects/demo/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
        world.token + "\r\nTransfer-Encoding: ";
    for (const char* coding : {"gzip", "gzip, chunked", "identity"}) {
        Connection odd(world.address());
        odd.send(head + coding + "\r\n\r\n" + request_text("GET", "/healthz", {}, ""));
        EXPECT_EQ(odd.receive().status, 501) << coding;
        EXPECT_TRUE(odd.closed_within(5'000));
    }
    Connection nameless(world.address());
    nameless.send("GET /healthz HTTP/1.1\r\n\r\n");
    EXPECT_EQ(nameless.receive().status, 400);
    Connection old(world.address());
    old.send("GET /healthz HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.receive().status, 200);
}

TEST(Http, the_form_for_proxies_and_lists_in_several_lines_are_understood) {
    TestServer world;
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    const std::string path = "/p/demo/metadata/timestamp.json";
    const Answer plain = world.ask("GET", path);
    EXPECT_EQ(world.ask("GET", "http://models.test" + path).body, plain.body);
    EXPECT_EQ(world.ask("GET", "http://models.test?x=" + path).status, 404);
    Connection connection(world.address());
    connection.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\"\r\n" +
                    "If-None-Match: " + plain.headers.at("etag") + "\r\n\r\n");
    EXPECT_EQ(connection.receive().status, 304);
    // Two tokens are none.
    connection.send("GET /v1/projects/demo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                    world.token + "\r\nAuthorization: Bearer " + world.token + "\r\n\r\n");
    EXPECT_EQ(connection.receive().status, 401);
}

TEST(Http, long_bodies_are_refused_before_they_are_read) {
    TestServer world;
    Connection connection(world.address());
    connection.send("POST /v1/projects/demo/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                    world.token + "\r\nContent-Length: 17000000\r\n\r\n{");
    EXPECT_EQ(connection.receive().status, 413);
}

TEST(Http, chunked_bodies_are_limited_as_well) {
    TestServer world;
    Connection connection(world.address());
    connection.send("POST /v1/projects/demo/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                    world.token + "\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "100000\r\n" + std::string(0x100000, ' ') + "\r\n";
    for (int i = 0; i < 17; ++i)
        if (!connection.send(chunk)) break;
    EXPECT_EQ(connection.receive().status, 413);
}

TEST(Http, slow_clients_are_let_go) {
    TestServer world(
        {.head = std::chrono::milliseconds(200), .stall = std::chrono::milliseconds(200)});
    Connection silent(world.address()), half_head(world.address()), half_body(world.address());
    half_head.send("GET /healthz HTT");
    half_body.send("POST /v1/projects/demo/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                   world.token + "\r\nContent-Length: 100\r\n\r\n{");
    EXPECT_TRUE(silent.closed_within(5'000));
    EXPECT_TRUE(half_head.closed_within(5'000));
    EXPECT_TRUE(half_body.closed_within(5'000));
    EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
}

TEST(Http, a_client_that_does_not_read_is_let_go) {
    TestServer world(
        {.head = std::chrono::milliseconds(300), .stall = std::chrono::milliseconds(300)});
    Author author;
    const std::string model(16 << 20, 'm');  // more than sockets hold
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, model)).status, 200);
    Connection deaf(world.address());
    deaf.send(request_text("GET", "/p/demo/" + target_path(model, 1), {}, ""));
    bool gone = false;
    for (int i = 0; i < 100 && !gone; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        const std::string metrics = world.ask("GET", "/metrics").body;
        gone = metrics.find("route=\"/p/{project}/targets/...\",method=\"GET\",code=\"0\"} 1") !=
               std::string::npos;
    }
    EXPECT_TRUE(gone);
}

TEST(Http, a_body_shorter_than_it_said_counts_for_nothing) {
    TestServer world;
    const std::string report = telemetry::write_report(report_of("a", 1, 1));
    {
        Connection liar(world.address());
        liar.send("POST /v1/projects/demo/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                  world.token + "\r\nContent-Length: " + std::to_string(report.size() + 1) +
                  "\r\n\r\n" + report);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(world.runs_counted(), 0);
}

TEST(Http, clients_that_break_off_harm_nobody) {
    TestServer world;
    Author author;
    ASSERT_EQ(
        publish(world.address(), world.token, author.version(1, std::string(8 << 20, 'm'))).status,
        200);
    const std::string path = "/p/demo/" + target_path(std::string(8 << 20, 'm'), 1);
    for (int i = 0; i < 4; ++i) {
        Connection reader(world.address());
        reader.send(request_text("GET", path, {}, ""));
        reader.abort();  // in the middle of a sendfile
        Connection writer(world.address());
        const std::string bytes(1 << 20, static_cast<char>('a' + i));
        const std::string whole = request_text("PUT", "/v1/projects/demo/" + target_path(bytes, 9),
                                               bearer(world.token), bytes);
        writer.send(whole.substr(0, whole.size() / 2));
        writer.abort();
    }
    EXPECT_EQ(world.ask("GET", path).body.size(), 8u << 20);
    EXPECT_EQ(world.ask("GET", "/p/demo/" + target_path(std::string(1 << 20, 'a'), 9)).status, 404);
}

TEST(Http, stopping_finishes_what_is_under_way) {
    TestServer world;
    Connection idle(world.address()), busy(world.address());
    const std::string request =
        request_text("POST", "/v1/projects/demo/reports", bearer(world.token),
                     telemetry::write_report(report_of("a", 1, 1)));
    busy.send(request.substr(0, request.size() - 5));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::thread stopper([&] { world.server->stop(); });
    EXPECT_TRUE(idle.closed_within(3'000));
    busy.send(request.substr(request.size() - 5));
    const Answer answer = busy.receive();
    stopper.join();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST(Http, a_taken_port_is_one_line) {
    TestServer world;
    Scratch scratch;
    const auto second = Server::start({.data = scratch.path("data"), .listen = world.address()});
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().message,
              world.address() + " is taken by another program (choose another port)");
    const auto nowhere = Server::start({.data = scratch.path("data2"), .listen = "8080"});
    EXPECT_EQ(nowhere.error().code, Code::invalid_argument);
}

}  // namespace skiff::server::test
