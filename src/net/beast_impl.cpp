// The one place where Beast, and Asio's part for TLS, are compiled; see slipway_settings.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
